"""From one source to its clips, or to the reasons why not; how much all of them will be."""

import hashlib
import os
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from headmime.data.open_shards import FRAME_ROW
from headmime.data.preprocess.frame_sources import FrameSource, SourceRefused, open_frames
from headmime.data.preprocess.layouts import Refusal, Source
from headmime.data.preprocess.segments import LEAST, CutFinder, Parts, find_parts
from headmime.data.shards import ClipFrames, encode
from headmime.errors import HeadmimeError
from headmime.landmarks.crop import crop_box
from headmime.landmarks.faces import Detector
from headmime.landmarks.track import Track, smooth, track

SMOOTH_FROM = 12.0  # frames per second, below which neighbours say little of each other
SEARCH_EVERY = 50  # frames between looks for a second person


@dataclass(frozen=True)
class ClipSettings:
    """How clips are made. size: of the pictures, in pixels. frames: the most that are kept of a
    clip, evenly spaced (None: all). fps: the most that are looked at per second (None: all).
    quality: of the JPEGs. max_seconds: longer sources are refused.
    """

    size: int = 256
    frames: int | None = 16
    fps: float | None = None
    quality: int = 90
    max_seconds: float = 1800.0


@dataclass(frozen=True)
class Note:
    """What is not stored of one source or of several. looked_at: frames in which a face was sought
    or followed.
    """

    refused: list[Refusal]
    looked_at: int


def read_source(
    root: Path, source: Source, recipe: ClipSettings, detector: Detector
) -> Generator[ClipFrames, None, Note]:
    """Decode, follow the face, split, crop: one clip after another, one at a time in memory; then
    return the note. What cannot be stored is a refusal, not an error.
    """
    looked_at = 0
    try:
        film = open_frames(root / source.file, recipe.fps, recipe.max_seconds)
        followed, times, cuts = _look(film, detector)
        looked_at = len(times)
        parts = find_parts(followed, times, cuts, least=1 if film.still else LEAST)
        if not parts.kept:
            return Note([_whole(source, parts)], looked_at)
        yield from _cut(film, source, parts, times, followed.scores, recipe, detector.name)
        refused = [
            Refusal(source.file, reason, (float(times[first]), float(times[end - 1])))
            for first, end, reason in parts.refused
        ]
        return Note(refused, looked_at)
    except HeadmimeError as error:
        reason = getattr(error, "reason", str(error))
    except Exception as error:  # one source of a million must not end the run
        reason = f"made headmime fail ({type(error).__name__}: {error}); please report it"
    return Note([Refusal(source.file, reason)], looked_at)


def _look(film: FrameSource, detector: Detector) -> tuple[Track, np.ndarray, np.ndarray]:
    """The face in every frame that is looked at, the frames' times [T], where shots begin [T]."""
    times, cuts, find_cut = [], [], CutFinder()

    def pictures() -> Iterator[np.ndarray]:
        for frame in film.frames():
            picture = frame.pixels()
            times.append(frame.time)
            cuts.append(find_cut(picture) and film.continuous)
            yield picture

    followed = track(pictures(), detector, SEARCH_EVERY)
    return followed, np.array(times), np.array(cuts, bool)


def _whole(source: Source, parts: Parts) -> Refusal:
    """One reason for a source of which nothing is kept: that of most of its frames."""
    lengths: dict[str, int] = {}
    for first, end, reason in parts.refused:
        lengths[reason] = lengths.get(reason, 0) + end - first
    return Refusal(source.file, max(lengths, key=lengths.__getitem__, default="holds no frames"))


def _cut(
    film: FrameSource,
    source: Source,
    parts: Parts,
    times: np.ndarray,
    scores: np.ndarray,
    recipe: ClipSettings,
    detector: str,
) -> Iterator[ClipFrames]:
    """Crop the frames that are kept; the film is read again, so that few are in memory."""
    steps = np.diff(times)
    evenly = film.continuous and len(steps) and np.median(steps) <= 1 / SMOOTH_FROM
    shown = enumerate(film.frames())
    for number, (first, end) in enumerate(parts.kept):
        pixels = parts.pixels[first:end]
        pixels = smooth(pixels) if evenly else pixels
        count = min(end - first, recipe.frames or end - first)
        inside = np.linspace(0, end - first - 1, count).round().astype(int)
        chosen = first + inside
        box = crop_box(pixels)
        wanted = set(chosen.tolist())
        pictures = [
            box.cut(frame.pixels(), recipe.size)
            for t, frame in islice(shown, end - (parts.kept[number - 1][1] if number else 0))
            if t in wanted
        ]
        if len(pictures) != count:
            raise SourceRefused("has changed while it was read")
        yield ClipFrames(
            person=source.person,
            video=source.video,
            # A slash is in no file's name: the parts of one clip meet no other clip.
            clip=source.clip if len(parts.kept) == 1 else f"{source.clip}/{number:03d}",
            split=source.split or "",  # undecided only where bytes are estimated
            source=source.file,
            fps=film.fps,
            crop=box,
            detector=detector,
            frames=pictures,
            landmarks=box.to_crop(pixels[inside]),
            times=times[chosen],
            scores=scores[chosen],
        )


@dataclass(frozen=True)
class StoreEstimate:
    """Means per file, those that would be refused included. seconds: of one process."""

    sampled: int
    refused: int
    looked_at: float
    frames: float
    bytes: float
    seconds: float


def estimate(
    root: Path,
    sources: list[Source],
    recipe: ClipSettings,
    detector: Detector,
    sample: int,
    on_files: Callable[[int, int], None],
) -> StoreEstimate:
    """Do the work for `sample` of the files, always the same ones, and keep nothing."""
    if not sources:
        raise HeadmimeError(f"root={root} holds no file of the data set's layout.")
    cv2.setNumThreads(1)
    chosen = sorted(sources, key=_number)[:sample]
    refused, totals = 0, np.zeros(3)
    begun = time.perf_counter()
    for done, source in enumerate(chosen, 1):
        sizes, looked_at = _do(root, source, recipe, detector)
        totals += (looked_at, len(sizes), sum(sizes) + len(sizes) * FRAME_ROW.itemsize)
        refused += not sizes
        on_files(done, len(chosen))
    seconds = time.perf_counter() - begun
    looked_at, frames, size = (totals / len(chosen)).tolist()
    return StoreEstimate(len(chosen), refused, looked_at, frames, size, seconds / len(chosen))


def _do(
    root: Path, source: Source, recipe: ClipSettings, detector: Detector
) -> tuple[list[int], int]:
    """The bytes of every picture that would be stored, and how many frames were looked at."""
    sizes = []
    clips = read_source(root, source, recipe, detector)
    while True:
        try:
            clip = next(clips)
        except StopIteration as stop:
            return sizes, stop.value.looked_at
        sizes += [len(encode(picture, recipe.quality)) for picture in clip.frames]


def _number(source: Source) -> bytes:
    return hashlib.sha256(os.fsencode(source.file)).digest()
