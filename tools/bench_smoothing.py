"""Effect of smoothing on driving landmarks: jitter, lag, and attenuation of blinks and speech.

    python tools/bench_smoothing.py [SITTERS] [FRAMES]

Sitters are rendered at 25 frames/s with exact landmarks, and dlib detects theirs. `jitter`: root
mean square of the error's change between frames; `error`: of the error without each point's
constant part; both in thousandths of the face size. `lag`: delay of the track in frames (of head
and mouth, by correlation). `blinks`, `mouth`: remaining share of lid closing and of mouth motion
after smoothing exact tracks.
"""

import sys
from collections.abc import Callable

import numpy as np

from headmime.landmarks.detect import load_detector
from headmime.landmarks.points import face_size, mouth_opening
from headmime.landmarks.track import fill_gaps, smooth, track
from headmime.sitters.body import load_body
from headmime.sitters.figure import make_model
from headmime.sitters.identity import random_sitter
from headmime.sitters.motion import random_motion
from headmime.sitters.write import SitterRenderer

SIZE = 160
SEED = 33

Change = Callable[[np.ndarray], np.ndarray]


def tracks(sitters: int, frames: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Detected and exact landmarks [T, 68, 2] of each sitter, in pixels."""
    model, finder = make_model(load_body()), load_detector("dlib")
    pairs = []
    for number in range(sitters):
        rng = np.random.default_rng([SEED, number])
        shoot = SitterRenderer(model, random_sitter(rng, model.body.local_names), SIZE, rng)
        names = dict.fromkeys(("person", "video", "clip", "split", "source"), "")
        clip = shoot.clip(random_motion(rng, model.actions, frames), rng, **names)
        found = fill_gaps(track(clip.frames, finder).pixels, longest=frames)
        pairs.append((found, clip.landmarks * SIZE))
    return pairs


def lag(late: np.ndarray, exact: np.ndarray) -> float:
    """Delay of one track [T] behind another, in (fractional) frames."""
    shifts = np.arange(-3, 4)
    inner = slice(3, -3)
    match = [np.corrcoef(np.roll(late, -k)[inner], exact[inner])[0, 1] for k in shifts]
    best = int(np.clip(np.argmax(match), 1, 5))
    before, at, after = match[best - 1 : best + 2]
    return float(shifts[best] + 0.5 * (before - after) / (before - 2 * at + after))


def causal(pixels: np.ndarray) -> np.ndarray:
    """Causal exponential filter with the same jitter as the other."""
    out = pixels.copy()
    for t in range(1, len(pixels)):
        out[t] = 0.5 * out[t - 1] + 0.5 * pixels[t]
    return out


def lids(pixels: np.ndarray) -> np.ndarray:
    gap = pixels[:, [41, 40, 47, 46], 1] - pixels[:, [37, 38, 43, 44], 1]
    return gap.mean(1) / face_size(pixels)


def measures(found: np.ndarray, exact: np.ndarray, change: Change) -> list[float]:
    """The columns of the table, for one sitter's landmarks [T, 68, 2] in pixels."""
    track, size = change(found), face_size(exact).mean()
    error = (track - exact) / size * 1000
    error = error - error.mean(0)
    kept = change(exact)
    return [
        float(np.sqrt((np.diff(error, axis=0) ** 2).sum(-1).mean())),
        float(np.sqrt((error**2).sum(-1).mean())),
        lag(track[:, 30, 0], found[:, 30, 0]),
        lag(mouth_opening(track), mouth_opening(found)),
        float(np.ptp(lids(kept)) / np.ptp(lids(exact))),
        float(np.std(mouth_opening(kept)) / np.std(mouth_opening(exact))),
    ]


def main(sitters: int = 4, frames: int = 100) -> None:
    pairs = tracks(sitters, frames)
    print(f"{'':22}{'jitter':>8}{'error':>8}{'lag head':>10}{'mouth':>8}{'blinks':>8}{'mouth':>8}")
    for name, change in (("as found", np.copy), ("smoothed", smooth), ("a causal filter", causal)):
        values = np.mean([measures(found, exact, change) for found, exact in pairs], 0)
        print(f"{name:22}" + "{:8.2f}{:8.2f}{:10.2f}{:8.2f}{:8.2f}{:8.2f}".format(*values))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
