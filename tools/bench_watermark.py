"""Robustness of the watermark: python tools/bench_watermark.py [--clips FOLDER] [--segments 300].

Segments of two seconds are marked, written as mp4, processed as platforms and users process videos,
and detected again. Half of them are outputs of the bundled model, feed-forward, enlarged to 256
pixels (`--side`); the others are cropped to this size from real clips, if --clips names a folder
with a table clips.tsv (rows of its split "tune" only). Prints a Markdown table, and writes it to
`--out` as JSON.
"""

import argparse
import csv
import io
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, product, zip_longest
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from scipy.stats import beta

from headmime.animate.api import load
from headmime.animate.driving import find_driving, load_template, template_names
from headmime.animate.media_writer import encode
from headmime.animate.motion import fit_landmarks
from headmime.animate.person import animator, bundled_people, personal_generator
from headmime.animate.poses import neutral_frame
from headmime.data.media_reader import read_video
from headmime.provenance.watermark import PUBLIC_KEY, detect, embed
from headmime.provenance.watermark.coding import BITS, CHECK_BITS, RATE, decode, message, payload_of
from headmime.provenance.watermark.detection import candidates, demodulate, plane
from headmime.provenance.watermark.embedding import CHROMA, carriers

SECONDS = 2.0
PER_CLIP = 8  # segments at most
LARGEST = 640  # pixels of a clip's longer side; larger ones are slow to decode
Timed = list[tuple[np.ndarray, float]]
"""Frames uint8 RGB and their times in seconds."""


@dataclass(frozen=True)
class Segment:
    """Two seconds of uint8 RGB frames [T, S, S, 3]. kind: "made" or "real"."""

    kind: str
    frames: np.ndarray
    fps: Fraction


def h264(shown: Timed, crf: int, fps: Fraction) -> Timed:
    """Encode and decode as h264."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": str(crf)})
        stream.pix_fmt = "yuv420p"
        stream.height, stream.width = shown[0][0].shape[:2]
        stream.codec_context.thread_count = 1
        for frame, _ in shown:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as container:
        return [(one.to_ndarray(format="rgb24"), one.time) for one in container.decode(video=0)]


def resized(shown: Timed, side: int) -> Timed:
    way = cv2.INTER_AREA if side < len(shown[0][0]) else cv2.INTER_LINEAR
    return [(cv2.resize(frame, (side, side), interpolation=way), at) for frame, at in shown]


def cropped(shown: Timed, random: np.random.Generator) -> Timed:
    """Crop a tenth of both sides at a random position."""
    side = len(shown[0][0])
    left = round(0.9 * side) // 2 * 2
    y, x = random.integers(side - left + 1, size=2)
    return [(np.ascontiguousarray(frame[y : y + left, x : x + left]), at) for frame, at in shown]


def at_rate(shown: Timed, fps: float) -> Timed:
    """Resample to `fps` by the nearest earlier frame."""
    times = np.array([at for _, at in shown])
    wanted = np.arange(0, times[-1], 1 / fps)
    return [(shown[k][0], float(at)) for k, at in zip(earlier(times, wanted), wanted, strict=True)]


def halved(shown: Timed) -> Timed:
    return resized(shown, len(shown[0][0]) // 2)


def earlier(times: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    return np.searchsorted(times, wanted + 1e-6, side="right") - 1


def brighter(shown: Timed, gain: float, offset: float) -> Timed:
    return [
        (np.clip(np.float32(frame) * gain + offset, 0, 255).astype(np.uint8), at)
        for frame, at in shown
    ]


def screenshot(shown: Timed) -> Timed:
    """One frame, enlarged as in a larger window."""
    return [(cv2.resize(shown[len(shown) // 2][0], None, fx=1.37, fy=1.37), 0.0)]


def recorded(shown: Timed, fps: Fraction) -> Timed:
    """Simulate a screen recording at 30 frames/s."""
    return h264(resized(at_rate(shown, 30), 350), 23, Fraction(30))


def gif(shown: Timed, fps: Fraction) -> Timed:
    """Encode as headmime's GIF."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "it.gif"
        encode(file, iter([frame for frame, _ in shown]), fps, "")
        return list(read_video(file))


Attack = Callable[[Timed, Fraction, np.random.Generator], Timed]
GOAL = "half size, then h264 crf 28"
ATTACKS: dict[str, Attack] = {
    GOAL: lambda s, fps, _: h264(halved(s), 28, fps),
    "none (the file as written)": lambda s, fps, _: s,
    **{f"h264 crf {q}": lambda s, fps, _, q=q: h264(s, q, fps) for q in (18, 23, 28, 33)},
    "half size": lambda s, fps, _: halved(s),
    "crop 10 %, then crf 28": lambda s, fps, random: h264(cropped(s, random), 28, fps),
    **{
        f"{n} frames a second, then crf 23": lambda s, _, __, n=n: h264(
            at_rate(s, n), 23, Fraction(n)
        )
        for n in (12, 30)
    },
    "25 % brighter, then crf 23": lambda s, fps, _: h264(brighter(s, 1.25, 0), 23, fps),
    "darker by 30 levels, then crf 23": lambda s, fps, _: h264(brighter(s, 1, -30), 23, fps),
    "filmed from the screen, crf 23": lambda s, fps, _: recorded(s, fps),
    "GIF": lambda s, fps, _: gif(s, fps),
    "a screenshot of one frame": lambda s, _, __: screenshot(s),
}


def made(side: int) -> Iterator[Segment]:
    """Forty sitters, each moved by every bundled motion, feed-forward."""
    model = load("bundled")
    size, motions = model.shape.image_size, template_names()
    for shift, number in product(range(len(motions)), range(len(people := bundled_people(size)))):
        frames, points = people[number]
        driving = load_template(find_driving(motions[(number + shift) % len(motions)]))
        moved = fit_landmarks(driving.landmarks, points[neutral_frame(points)], "relative")
        draw = animator(personal_generator(model.nets, frames, points, None), size)
        count = round(SECONDS * driving.fps)
        for last in range(count, len(moved) + 1, count):
            shown = draw(moved[last - count : last])
            larger = [cv2.resize(one, (side, side), interpolation=cv2.INTER_CUBIC) for one in shown]
            yield Segment("made", np.stack(larger), driving.fps)


def real(folder: Path, side: int) -> Iterator[Segment]:
    """The middle squares of the clips, two seconds after two seconds; a few of each clip."""
    with (folder / "clips.tsv").open() as table:
        rows = [row for row in csv.DictReader(table, delimiter="\t") if row["split"] == "tune"]
    small = [row for row in rows if max(int(row["width"]), int(row["height"])) <= LARGEST]
    clips = [_segments(folder / row["file"], float(row["fps"]), side) for row in small]
    for round_of_clips in zip_longest(*clips):
        yield from (one for one in round_of_clips if one is not None)


def _segments(file: Path, rate: float, side: int) -> Iterator[Segment]:
    fps = Fraction(rate).limit_denominator(1001)
    frames = (_square(frame, side) for frame, _ in read_video(file))
    for _ in range(PER_CLIP):
        taken = list(islice(frames, round(SECONDS * fps)))
        if len(taken) < round(SECONDS * fps):
            return
        yield Segment("real", np.stack(taken), fps)


def _square(frame: np.ndarray, size: int) -> np.ndarray:
    height, width = frame.shape[:2]
    side = min(height, width)
    y, x = (height - side) // 4 if height > width else 0, (width - side) // 2
    way = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    return cv2.resize(frame[y : y + side, x : x + side], (size, size), interpolation=way)


def written(frames: list[np.ndarray], fps: Fraction) -> Timed:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "it.mp4"
        encode(file, iter(frames), fps, "")
        return list(read_video(file))


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    error = np.mean((one.astype(np.float32) - other) ** 2)
    return float(10 * np.log10(255**2 / error))


def lowest(found: int, of: int) -> float:
    """The lower end of the 95 % interval of a share, one-sided, exact (Clopper-Pearson)."""
    return float(beta.ppf(0.05, found, of - found + 1)) if found else 0.0


def survival(segments: Iterator[Segment], goal: int, others: int, out: Path) -> dict:
    """Every segment meets the goal's attack; the first `others` of them meet all."""
    random = np.random.default_rng(0)
    found: dict[str, dict[str, list[bool]]] = {name: {} for name in ATTACKS}
    quality: dict[str, list[float]] = {}
    seconds: list[float] = []
    for number, one in enumerate(islice(segments, goal)):
        payload = random.bytes(4)
        begun = time.process_time()
        marked = list(embed(one.frames, payload, PUBLIC_KEY, float(one.fps)))
        seconds.append((time.process_time() - begun) / len(marked))
        quality.setdefault(one.kind, []).append(psnr(np.stack(marked), one.frames))
        file = written(marked, one.fps)
        for name in ATTACKS if number < others else [GOAL]:
            reading = detect(ATTACKS[name](file, one.fps, random), PUBLIC_KEY)
            if reading.payload not in (payload, None):
                raise AssertionError(f"a wrong payload after {name}")
            found[name].setdefault(one.kind, []).append(reading.payload == payload)
        result = {
            "segments": number + 1,
            "psnr": {kind: float(np.mean(values)) for kind, values in quality.items()},
            "cpu_ms_per_frame": 1000 * float(np.median(seconds)),
            "found": {
                name: {kind: [sum(hits), len(hits)] for kind, hits in kinds.items()}
                for name, kinds in found.items()
            },
        }
        out.write_text(json.dumps(result, indent=1))
    return result


def random_keys(segments: Iterator[Segment], keys: int, clips: int = 20) -> dict:
    """Unmarked clips under random keys: how often the first b bits of the check happen to be right.

    One drawn key finds the likeliest cuts; then the whitening of what is carried is drawn `keys`
    times in all, decoded and checked.
    """
    random = np.random.default_rng(1)
    agree, tried, payloads = np.zeros(CHECK_BITS + 1, int), 0, 0
    for one in islice(segments, clips):
        times = np.arange(len(one.frames)) / float(one.fps)
        signal = demodulate([plane(f, t, CHROMA) for f, t in zip(one.frames, times, strict=True)])
        for _ in range(keys // (clips * 1000)):
            key = random.bytes(16)
            marks = carriers(CHROMA, key)
            found = [marks.soft(z, RATE * BITS) for z in candidates(signal, marks)]
            signs = random.choice([-1.0, 1.0], size=(1000, RATE * BITS))
            decoded = decode(np.stack([found[k % len(found)] for k in range(1000)]) * signs)
            for bits in decoded:
                right = message(np.packbits(bits)[:4].tobytes(), key)
                first_wrong = np.flatnonzero(np.append(right != bits, True))[0]
                agree[: max(0, min(first_wrong, BITS) - (BITS - CHECK_BITS)) + 1] += 1
                payloads += payload_of(bits, key) is not None
            tried += 1000
    return {"tried": tried, "payloads": payloads, "agree": agree[: CHECK_BITS + 1].tolist()}


def table(result: dict) -> str:
    """The shares as Markdown, the goal first."""
    kinds = sorted(result["psnr"])
    lines = [
        "| after | " + " | ".join(f"{kind}" for kind in kinds) + " | share, at least (95 %) |",
        "|---" * (len(kinds) + 2) + "|",
    ]
    for name, by_kind in result["found"].items():
        if not by_kind:
            continue
        cells = ["{} of {}".format(*by_kind.get(kind, [0, 0])) for kind in kinds]
        hits, of = (sum(column) for column in zip(*by_kind.values(), strict=True))
        lines.append(f"| {name} | {' | '.join(cells)} | {hits / of:.3f}, {lowest(hits, of):.3f} |")
    quality = ", ".join(f"{kind} {value:.1f} dB" for kind, value in result["psnr"].items())
    return "\n".join([*lines, "", f"PSNR: {quality}. {result['cpu_ms_per_frame']:.2f} ms a frame."])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, help="folder with clips.tsv: real clips, too")
    parser.add_argument("--segments", type=int, default=300, help="that meet the goal's attack")
    parser.add_argument("--others", type=int, default=60, help="of them that meet every attack")
    parser.add_argument("--side", type=int, default=256, help="pixels of the marked frames")
    parser.add_argument("--keys", type=int, default=0, help="random keys on unmarked clips instead")
    parser.add_argument("--out", type=Path, default=Path("runs/bench_watermark.json"))
    given = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    segments = made(given.side)
    if given.clips:  # there are fewer real ones
        pairs = zip_longest(real(given.clips, given.side), segments)
        segments = (one for pair in pairs for one in pair if one)
    if given.keys:
        result = random_keys(real(given.clips, given.side) if given.clips else segments, given.keys)
        given.out.write_text(json.dumps(result, indent=1))
        print(result)
        return
    print(table(survival(segments, given.segments, given.others, given.out)))


if __name__ == "__main__":
    main()
