"""From frames to one person's landmarks over time: following, filling gaps, smoothing."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from headmime.landmarks.faces import SAME_FACE, Detector, Face, largest, overlap

# A lost face is searched for in every frame at first, then ever more seldom: a search that finds
# nothing is slow.
FOLLOWED = 5  # frames since it was seen, after which a face is no longer looked for nearby
SELDOM = 8  # at most this many frames between searches
LONGEST_GAP = 5
LONG_AGO = 1 << 30  # frames
LOST = np.full((68, 2), np.nan, np.float32)
# Savitzky-Golay: least-squares parabola over 7 frames. Symmetric, so without lag; it lets blinks
# and closing lips through and takes away 4/10 of white jitter.
SMOOTHING = np.array([-2, 3, 6, 7, 6, 3, -2]) / 21


@dataclass(frozen=True)
class Track:
    """One person's landmarks in every frame of a clip.

    pixels: float32 [T, 68, 2], NaN where the face was not found. scores: float32 [T], 0 there.
    people: the most faces that were seen in one frame. others: float32 [T], the size of the largest
    other face over that of the followed one, where all faces were searched; NaN elsewhere.
    """

    pixels: np.ndarray
    scores: np.ndarray
    people: int
    others: np.ndarray

    @property
    def found(self) -> np.ndarray:
        """Where the face was found, bool [T]."""
        return ~np.isnan(self.pixels[:, 0, 0])


def track(
    frames: Iterable[np.ndarray], detector: Detector, search_every: int | None = None
) -> Track:
    """Follow the largest face of the first frame that has one, through uint8 RGB [H, W, 3] frames.

    Once it has been lost for `FOLLOWED` frames, the largest face that is found takes its place.
    search_every: frames after which others are looked for although the face is not lost (None:
    never). A detector that takes many frames at a time sees all faces of all of them. Frames are
    read once and no more than `detector.batch` are kept.
    """
    pixels, scores, others, people = [], [], [], 0
    last: Face | None = None
    lost, wait = 0, 0  # frames since the face was seen, frames until a search
    since = 0  # the last search
    for frame, faces in _with_faces(frames, detector):
        near = last if lost < FOLLOWED else None
        face = detector.follow(frame, near) if near and faces is None else None
        since += 1
        if near and face is None and lost == 0:
            # Nobody knows since when the points were no longer a face's.
            for t in range(len(pixels) - near.unchecked, len(pixels)):
                pixels[t], scores[t] = LOST, 0.0
            last = replace(near, unchecked=LONG_AGO)
        if face is None and faces is None and wait > 0:
            wait -= 1
        elif face is None:
            faces = detector.detect([frame])[0] if faces is None else faces
            same = [f for f in faces if not near or overlap(f.box, near.box) > SAME_FACE]
            face = largest(same) if same else None
            wait = min(lost, SELDOM)
        elif search_every is not None and since >= search_every:
            faces = detector.detect([frame])[0]
        if faces is not None:
            people, since = max(people, len(faces)), 0
        others.append(np.nan if faces is None else _other(face, faces))
        if face is None:
            lost += 1
            pixels.append(LOST)
            scores.append(0.0)
        else:
            last, lost, wait = face, 0, 0
            pixels.append(face.pixels)
            scores.append(face.score)
    together = np.array(pixels, np.float32).reshape(-1, 68, 2)
    return Track(together, np.array(scores, np.float32), people, np.array(others, np.float32))


def _with_faces(
    frames: Iterable[np.ndarray], detector: Detector
) -> Iterator[tuple[np.ndarray, list[Face] | None]]:
    """Every frame with all of its faces; with None where following is quicker than finding."""
    if detector.batch == 1:
        yield from ((frame, None) for frame in frames)
        return
    frames = iter(frames)
    while batch := list(islice(frames, detector.batch)):
        yield from zip(batch, detector.detect(batch), strict=True)


def _other(face: Face | None, faces: Sequence[Face]) -> float:
    """The side of the largest other face over that of `face`, 0 if there is none."""
    if face is None:
        return 0.0
    apart = [other for other in faces if overlap(other.box, face.box) <= SAME_FACE]
    return (largest(apart).area / face.area) ** 0.5 if apart else 0.0


def fill_gaps(pixels: np.ndarray, longest: int = LONGEST_GAP) -> np.ndarray:
    """Fill runs of at most `longest` frames without a face (NaN), float32 [T, 68, 2].

    Inside of the clip by linear interpolation, at its ends by repeating the nearest face. Longer
    runs, and a clip in which no face was found, stay NaN.
    """
    found = ~np.isnan(pixels[:, 0, 0])
    filled = pixels.copy()
    for first, end in _runs(~found):
        if end - first > longest or not found.any():
            continue
        before, after = pixels[max(first - 1, 0)], pixels[min(end, len(pixels) - 1)]
        before, after = (after, after) if first == 0 else (before, after)
        before, after = (before, before) if end == len(pixels) else (before, after)
        share = (np.arange(1, end - first + 1) / (end - first + 1))[:, None, None]
        filled[first:end] = before + share * (after - before)
    return filled


def smooth(pixels: np.ndarray) -> np.ndarray:
    """Take away jitter without lag: [T, 68, 2] without NaN -> [T, 68, 2], any coordinates.

    Straight and evenly accelerated motion is kept as it is, up to the clip's ends.
    """
    half = len(SMOOTHING) // 2
    if len(pixels) <= half:
        return pixels
    padded = np.pad(pixels, ((half, half), (0, 0), (0, 0)), "reflect", reflect_type="odd")
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(SMOOTHING), axis=0)
    return (windows @ SMOOTHING).astype(pixels.dtype)


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """Where flags [T] are true, as (first, end)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
