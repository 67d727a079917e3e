"""From one source to its clips, or to the reasons why not."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from headmime.data.preprocess.cuts import CutFinder
from headmime.data.preprocess.film import Film, Refused, open_film
from headmime.data.preprocess.segments import LEAST, Parts, find_parts
from headmime.data.preprocess.sources import Refusal, Source
from headmime.data.shards import ClipFrames
from headmime.errors import HeadmimeError
from headmime.landmarks.crop import crop_box
from headmime.landmarks.detect import Detector
from headmime.landmarks.track import Track, smooth, track

SMOOTH_FROM = 12.0  # frames per second, below which neighbours say little of each other
SEARCH_EVERY = 50  # frames between looks for a second person


@dataclass(frozen=True)
class Recipe:
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
    root: Path, source: Source, recipe: Recipe, detector: Detector
) -> Generator[ClipFrames, None, Note]:
    """Decode, follow the face, split, crop: one clip after another, one at a time in memory; then
    return the note. What cannot be stored is a refusal, not an error.
    """
    looked_at = 0
    try:
        film = open_film(root / source.file, recipe.fps, recipe.max_seconds)
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


def _look(film: Film, detector: Detector) -> tuple[Track, np.ndarray, np.ndarray]:
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
    film: Film,
    source: Source,
    parts: Parts,
    times: np.ndarray,
    scores: np.ndarray,
    recipe: Recipe,
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
            raise Refused("has changed while it was read")
        yield ClipFrames(
            person=source.person,
            video=source.video,
            # A slash is in no file's name: the parts of one clip meet no other clip.
            clip=source.clip if len(parts.kept) == 1 else f"{source.clip}/{number:03d}",
            split=source.split,
            source=source.file,
            fps=film.fps,
            crop=box,
            detector=detector,
            frames=pictures,
            landmarks=box.to_crop(pixels[inside]),
            times=times[chosen],
            scores=scores[chosen],
        )
