"""Makes the clips of a source, with the reasons for refused parts; estimates a data set's store."""

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

SMOOTH_FROM = 12.0  # frames per second from which landmarks are smoothed over time
SEARCH_EVERY = 50  # frames between searches for a second person


@dataclass(frozen=True)
class ClipSettings:
    """Settings of clips. size: side of the images in pixels. frames: most frames stored per clip,
    evenly spaced (None: all). fps: most frames processed per second (None: all). quality: of the
    JPEGs. max_seconds: longer sources are refused.
    """

    size: int = 256
    frames: int | None = 16
    fps: float | None = None
    quality: int = 90
    max_seconds: float = 1800.0


@dataclass(frozen=True)
class Note:
    """Refused parts of one or several sources. looked_at: number of frames in which a face was
    searched or tracked.
    """

    refused: list[Refusal]
    looked_at: int


def read_source(
    root: Path, source: Source, clip_settings: ClipSettings, detector: Detector
) -> Generator[ClipFrames, None, Note]:
    """Decode, track the face, split and crop a source; yield its clips, one at a time in memory,
    and return the note. Whatever cannot be stored becomes a Refusal, not an error.
    """
    looked_at = 0
    try:
        source_frames = open_frames(
            root / source.file, clip_settings.fps, clip_settings.max_seconds
        )
        followed, times, cuts = _track_face(source_frames, detector)
        looked_at = len(times)
        parts = find_parts(followed, times, cuts, least=1 if source_frames.still else LEAST)
        if not parts.kept:
            return Note([_refuse_source(source, parts)], looked_at)
        yield from _crop_clips(
            source_frames, source, parts, times, followed.scores, clip_settings, detector.name
        )
        refused = [
            Refusal(source.file, reason, (float(times[first]), float(times[end - 1])))
            for first, end, reason in parts.refused
        ]
        return Note(refused, looked_at)
    except HeadmimeError as error:
        reason = getattr(error, "reason", str(error))
    except Exception as error:  # one bad source must not end the run
        reason = f"made headmime fail ({type(error).__name__}: {error}); please report it"
    return Note([Refusal(source.file, reason)], looked_at)


def _track_face(
    source_frames: FrameSource, detector: Detector
) -> tuple[Track, np.ndarray, np.ndarray]:
    """Track the face in every processed frame; return the track, times [T], shot starts [T]."""
    times, cuts, find_cut = [], [], CutFinder()

    def images() -> Iterator[np.ndarray]:
        for frame in source_frames.frames():
            image = frame.pixels()
            times.append(frame.time)
            cuts.append(find_cut(image) and source_frames.continuous)
            yield image

    followed = track(images(), detector, SEARCH_EVERY)
    return followed, np.array(times), np.array(cuts, bool)


def _refuse_source(source: Source, parts: Parts) -> Refusal:
    """Refuse a source without usable parts, with the reason of most of its frames."""
    lengths: dict[str, int] = {}
    for first, end, reason in parts.refused:
        lengths[reason] = lengths.get(reason, 0) + end - first
    return Refusal(source.file, max(lengths, key=lengths.__getitem__, default="holds no frames"))


def _crop_clips(
    source_frames: FrameSource,
    source: Source,
    parts: Parts,
    times: np.ndarray,
    scores: np.ndarray,
    clip_settings: ClipSettings,
    detector: str,
) -> Iterator[ClipFrames]:
    """Crop the chosen frames; the source is decoded a second time, so that few are in memory."""
    steps = np.diff(times)
    evenly = source_frames.continuous and len(steps) and np.median(steps) <= 1 / SMOOTH_FROM
    frames = enumerate(source_frames.frames())
    for number, (first, end) in enumerate(parts.kept):
        pixels = parts.pixels[first:end]
        pixels = smooth(pixels) if evenly else pixels
        count = min(end - first, clip_settings.frames or end - first)
        inside = np.linspace(0, end - first - 1, count).round().astype(int)
        chosen = first + inside
        box = crop_box(pixels)
        wanted = set(chosen.tolist())
        images = [
            box.cut(frame.pixels(), clip_settings.size)
            for t, frame in islice(frames, end - (parts.kept[number - 1][1] if number else 0))
            if t in wanted
        ]
        if len(images) != count:
            raise SourceRefused("has changed while it was read")
        yield ClipFrames(
            person=source.person,
            video=source.video,
            # No file name has a slash, so names of parts cannot equal those of other clips.
            clip=source.clip if len(parts.kept) == 1 else f"{source.clip}/{number:03d}",
            split=source.split or "",  # undecided only where bytes are estimated
            source=source.file,
            fps=source_frames.fps,
            crop=box,
            detector=detector,
            frames=images,
            landmarks=box.to_crop(pixels[inside]),
            times=times[chosen],
            scores=scores[chosen],
        )


@dataclass(frozen=True)
class StoreEstimate:
    """Means per file, including refused ones. seconds: of one process."""

    sampled: int
    refused: int
    looked_at: float
    frames: float
    bytes: float
    seconds: float


def estimate(
    root: Path,
    sources: list[Source],
    clip_settings: ClipSettings,
    detector: Detector,
    sample: int,
    on_files: Callable[[int, int], None],
) -> StoreEstimate:
    """Process `sample` of the files, chosen by hash, without storing anything."""
    if not sources:
        raise HeadmimeError(f"root={root} holds no file of the data set's layout.")
    cv2.setNumThreads(1)
    by_hash = sorted(sources, key=lambda s: hashlib.sha256(os.fsencode(s.file)).digest())
    chosen = by_hash[:sample]
    refused, totals = 0, np.zeros(3)
    start = time.perf_counter()
    for done, source in enumerate(chosen, 1):
        sizes, looked_at = _measure(root, source, clip_settings, detector)
        totals += (looked_at, len(sizes), sum(sizes) + len(sizes) * FRAME_ROW.itemsize)
        refused += not sizes
        on_files(done, len(chosen))
    seconds = time.perf_counter() - start
    looked_at, frames, size = (totals / len(chosen)).tolist()
    return StoreEstimate(len(chosen), refused, looked_at, frames, size, seconds / len(chosen))


def _measure(
    root: Path, source: Source, clip_settings: ClipSettings, detector: Detector
) -> tuple[list[int], int]:
    """JPEG sizes of the images that would be stored, and the number of processed frames."""
    sizes = []
    clips = read_source(root, source, clip_settings, detector)
    while True:
        try:
            clip = next(clips)
        except StopIteration as stop:
            return sizes, stop.value.looked_at
        sizes += [len(encode(image, clip_settings.quality)) for image in clip.frames]
