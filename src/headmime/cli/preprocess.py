"""`headmime preprocess`: a data set of videos becomes a clip store."""

import logging
from collections import Counter
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

from hydra.utils import instantiate

from headmime.data.preprocess.clips import ClipSettings, StoreEstimate, estimate
from headmime.data.preprocess.layouts import Listing, assign_splits, list_sources
from headmime.data.preprocess.run import QUARANTINE, PreprocessReport, Runner, make_plan, preprocess
from headmime.data.preprocess.workers import run_local, run_on_ray
from headmime.errors import HeadmimeError
from headmime.progress import progress
from headmime.threads import available_cores

log = logging.getLogger(__name__)
LISTED = 5  # kinds of reasons that are printed
WHOLE_SET = 145_000  # videos of VoxCeleb2


@dataclass
class DataSet:
    """layout, split, pattern: see `list_sources`. clips_per_video: of the whole set, or None."""

    layout: str
    clips_per_video: float | None
    split: str | None = None
    pattern: str | None = None


@dataclass
class Cluster:
    """address: of a Ray cluster."""

    address: str


@dataclass(kw_only=True)
class Preprocess:
    """Keys of `headmime preprocess`: conf/preprocess.yaml."""

    data: DataSet
    root: str
    out: str | None
    size: int
    frames: int | None
    fps: float | None
    quality: int
    max_seconds: float
    detector: dict[str, Any]
    test_share: float
    test_persons: list[str] | None
    seed: int
    workers: int | None
    cluster: Cluster | None = None
    dry_run: bool
    sample: int


def main(settings: Preprocess) -> None:
    """Check the keys; estimate, or write the store and say what became of the files."""
    root, clip_settings = Path(settings.root), _clip_settings(settings)
    if not settings.out and not settings.dry_run:
        raise HeadmimeError("out= is missing: the folder of the new store.")
    listed = assign_splits(
        list_sources(settings.data.layout, root, settings.data.split, settings.data.pattern),
        settings.test_share,
        settings.test_persons,
        settings.seed,
    )
    if settings.dry_run:
        with progress("trying a sample") as on_files:
            found = instantiate(settings.detector)
            guess = estimate(root, listed.sources, clip_settings, found, settings.sample, on_files)
        print(_format_estimate(guess, listed, settings))
        return
    assert settings.out is not None
    plan = make_plan(
        listed,
        {
            "data": settings.data.layout,
            "data_split": settings.data.split,
            **({"data_pattern": settings.data.pattern} if settings.data.pattern else {}),
            **asdict(clip_settings),
            "detector": settings.detector,
            "test_share": settings.test_share,
            "test_persons": settings.test_persons,
            "seed": settings.seed,
            "headmime": version("headmime"),
        },
    )
    run: Runner = partial(run_local, workers=_workers(settings))
    if settings.cluster is not None:
        run = partial(run_on_ray, address=settings.cluster.address)
    begun, out, finder = perf_counter(), Path(settings.out), settings.detector
    with progress("preprocessing") as on_files:
        summary = preprocess(root, out, plan, listed.refused, clip_settings, finder, run, on_files)
    print(_format_report(summary, out, perf_counter() - begun))


def _clip_settings(settings: Preprocess) -> ClipSettings:
    at_least = {"size": 16, "frames": 1, "fps": 0.01, "max_seconds": 1, "workers": 1, "sample": 1}
    for key, least in at_least.items():
        value = getattr(settings, key)
        if value is not None and value < least:
            raise HeadmimeError(f"{key}={value} is too small: at least {least}.")
    if not 1 <= settings.quality <= 100:
        raise HeadmimeError(f"quality={settings.quality} is not a JPEG quality: 1 to 100.")
    if not 0 <= settings.test_share <= 1:
        raise HeadmimeError(f"test_share={settings.test_share} is not a share: 0 to 1.")
    return ClipSettings(
        settings.size, settings.frames, settings.fps, settings.quality, settings.max_seconds
    )


def _workers(settings: Preprocess) -> int:
    return settings.workers or available_cores()


def _format_report(summary: PreprocessReport, out: Path, seconds: float) -> str:
    """What a person wants to know at the end."""
    store = summary.store
    frames = int(store.frame_starts[-1])
    whole = sum(one.seconds is None for one in summary.refused)
    lines = [
        f"{out}: {store.n:,} clips of {len(store.videos):,} videos, {frames:,} frames, "
        f"{_size(summary.bytes)} ({_size(summary.bytes / len(store.videos))} a video), from "
        f"{summary.looked_at:,} frames in {_duration(seconds)}.",
        f"{whole:,} of {summary.files:,} files and {len(summary.refused) - whole:,} parts of "
        f"others were quarantined: see {out / QUARANTINE}.",
    ]
    kinds = Counter(one.reason for one in summary.refused)
    example = {one.reason: one.file for one in reversed(summary.refused)}
    for reason, count in kinds.most_common(LISTED):
        lines.append(f"  {count:,} x {reason}, such as {_printable(example[reason])}")
    if len(kinds) > LISTED:
        lines.append(f"  and {len(kinds) - LISTED} other reasons")
    return "\n".join(lines)


def _format_estimate(guess: StoreEstimate, listed: Listing, settings: Preprocess) -> str:
    """The files at hand, and as many videos as the paper's data set has."""
    videos = len({(source.person, source.video) for source in listed.sources})
    files, workers = len(listed.sources), _workers(settings)
    here = files / videos
    clips = settings.data.clips_per_video or here

    def line(what: str, count: float, of: int) -> str:
        return (
            f"{what}: {_size(guess.bytes * count)} ({_size(guess.bytes * count / of)} a video), "
            f"{guess.frames * count:,.0f} frames kept of {guess.looked_at * count:,.0f}, "
            f"{_duration(guess.seconds * count / workers)} with {workers} processes "
            f"({guess.seconds * count / 3600:,.1f} hours of one)"
        )

    return "\n".join(
        [
            f"A sample of {guess.sampled} files, {guess.refused} of them unusable, was looked at "
            f"with {guess.looked_at / guess.seconds:.0f} frames/s by one process.",
            line(f"These {files:,} files ({videos:,} videos)", files, videos),
            line(f"{WHOLE_SET:,} videos of {clips:.1f} files each", WHOLE_SET * clips, WHOLE_SET),
            "Nothing was written.",
        ]
    )


def _printable(name: str) -> str:
    """What is no text, or would break the line, as escapes."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in name
    )


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:,.0f} h"
