"""Tracking of one person's landmarks over time: following, filling gaps, smoothing."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise

import numpy as np

from headmime.landmarks.faces import SAME_FACE, Detector, Face, largest, overlap

# A lost face is searched in every frame at first, then at growing intervals: searches that find
# nothing are slow.
FOLLOWED = 5  # frames for which a lost face is searched near its last position
SELDOM = 8  # most frames between searches
LONGEST_GAP = 5
LONG_AGO = 1 << 30  # frames
LOST = np.full((68, 2), np.nan, np.float32)
# Savitzky-Golay: least-squares parabola over 7 frames. Symmetric, so without lag; it preserves
# blinks and closing lips and removes 4/10 of white jitter.
SMOOTHING = np.array([-2, 3, 6, 7, 6, 3, -2]) / 21


@dataclass(frozen=True)
class Track:
    """One person's landmarks in every frame of a clip.

    pixels: float32 [T, 68, 2], NaN where the face was not found. scores: float32 [T], 0 there.
    people: largest number of faces in a frame. others: float32 [T], size of the largest other face
    relative to the tracked one in frames with a full search; NaN elsewhere.
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
    """Track the largest face of the first frame with a face through uint8 RGB [H, W, 3] frames.

    After `FOLLOWED` frames without it, the largest face found replaces it. search_every: frames
    between full searches while the face is tracked (None: never). Batched detectors
    (`detector.batch` > 1) detect all faces in every frame. Frames are iterated once, with at most
    `detector.batch` in memory.
    """
    pixels, scores, others, people = [], [], [], 0
    last: Face | None = None
    lost, wait = 0, 0  # last face, frames since then, frames until the next search
    since = 0  # frames since the last search
    for frame, faces in _detect_batches(frames, detector):
        near = last if lost < FOLLOWED else None
        face = detector.follow(frame, near) if near and faces is None else None
        since += 1
        if near and face is None and lost == 0:
            # The points may have been wrong since the last detection.
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
        others.append(np.nan if faces is None else _other_face_size(face, faces))
        if face is None:
            lost += 1
            pixels.append(LOST)
            scores.append(0.0)
        else:
            last, lost, wait = face, 0, 0
            pixels.append(face.pixels)
            scores.append(face.score)
    points = np.array(pixels, np.float32).reshape(-1, 68, 2)
    return Track(points, np.array(scores, np.float32), people, np.array(others, np.float32))


def _detect_batches(
    frames: Iterable[np.ndarray], detector: Detector
) -> Iterator[tuple[np.ndarray, list[Face] | None]]:
    """Yield every frame with all of its faces (batched detectors) or with None."""
    if detector.batch == 1:
        yield from ((frame, None) for frame in frames)
        return
    frames = iter(frames)
    while batch := list(islice(frames, detector.batch)):
        yield from zip(batch, detector.detect(batch), strict=True)


def _other_face_size(face: Face | None, faces: Sequence[Face]) -> float:
    """Side of the largest other face relative to `face`, 0 if there is none."""
    if face is None:
        return 0.0
    others = [other for other in faces if overlap(other.box, face.box) <= SAME_FACE]
    return (largest(others).area / face.area) ** 0.5 if others else 0.0


def fill_gaps(pixels: np.ndarray, longest: int = LONGEST_GAP) -> np.ndarray:
    """Fill runs of at most `longest` frames without a face (NaN), float32 [T, 68, 2].

    Linear interpolation inside of the clip, repetition of the nearest face at its ends. Longer runs
    and clips without any face stay NaN.
    """
    found = ~np.isnan(pixels[:, 0, 0])
    filled = pixels.copy()
    for first, end in equal_runs(found):
        if found[first] or end - first > longest or not found.any():
            continue
        before, after = pixels[max(first - 1, 0)], pixels[min(end, len(pixels) - 1)]
        before, after = (after, after) if first == 0 else (before, after)
        before, after = (before, before) if end == len(pixels) else (before, after)
        share = (np.arange(1, end - first + 1) / (end - first + 1))[:, None, None]
        filled[first:end] = before + share * (after - before)
    return filled


def smooth(pixels: np.ndarray) -> np.ndarray:
    """Smooth without lag: [T, 68, 2] without NaN -> [T, 68, 2], in any coordinates.

    Preserves motion of constant velocity or acceleration, also at the clip's ends.
    """
    half = len(SMOOTHING) // 2
    if len(pixels) <= half:
        return pixels
    padded = np.pad(pixels, ((half, half), (0, 0), (0, 0)), "reflect", reflect_type="odd")
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(SMOOTHING), axis=0)
    return (windows @ SMOOTHING).astype(pixels.dtype)


def equal_runs(values: np.ndarray) -> list[tuple[int, int]]:
    """Runs of equal values [T], as (first, end)."""
    edges = [0, *(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist(), len(values)]
    return list(pairwise(edges)) if len(values) else []
