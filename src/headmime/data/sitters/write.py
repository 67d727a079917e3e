"""Render sitters into a clip store: one person each, with one video of one or two clips."""

import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.random import Generator

from headmime.data.shards import ClipFrames, finish_store, write_shard
from headmime.data.sitters.backdrop import backdrop, behind
from headmime.data.sitters.body import load_body
from headmime.data.sitters.figure import Model, make_figure, make_model, pose
from headmime.data.sitters.identity import random_sitter
from headmime.data.sitters.motion import FPS, random_motion
from headmime.data.sitters.render import camera_of, develop, light_of, prepare, render
from headmime.errors import HeadmimeError
from headmime.landmarks.crop import Crop, crop_box

STEP = 20
"""Frames of the motion (25/s) from one stored frame to the next: few frames show much movement."""

SHARD = 32
"""Sitters per shard, whatever the number of processes: the store's bytes do not depend on it."""

TEST_EVERY = 20
"""Every twentieth sitter belongs to the split "test"."""

DETECTOR = "dlib"
"""The exact landmarks imitate this detector's points, so that it can stand in for them later."""


def supersampling(size: int) -> int:
    """Samples per pixel and direction: small pictures need more of them for the same smoothness."""
    return 3 if size <= 96 else 2


def hair_detail(size: int) -> float:
    """Share of the strands of hair that are drawn: in small pictures, fewer and wider ones do."""
    return 0.6 if size <= 96 else 1.0


def clip_lengths(frames: int) -> list[int]:
    """Frames per clip of a sitter: two clips, framed a little differently, if long enough."""
    return [frames - frames // 2, frames // 2] if frames >= 8 else [frames]


def _jittered(crop: Crop, rng: Generator) -> Crop:
    """The small differences of framing that crops of real clips have."""
    side = crop.side * float(np.exp(np.clip(rng.normal() * 0.035, -0.08, 0.08)))
    shift = np.clip(rng.normal(size=2) * 0.012, -0.03, 0.03) * crop.side
    middle = np.array([crop.x, crop.y]) + crop.side / 2 + shift
    x, y = (middle - side / 2).tolist()
    return Crop(x, y, side)


def sitter_clips(
    model: Model, number: int, frames: int, size: int, seed: int
) -> Iterator[ClipFrames]:
    """All clips of sitter `number` of the series `seed`; the pictures are rendered when read."""
    rng = np.random.default_rng([seed, number])
    sitter = random_sitter(rng, model.body.local_names)
    figure = make_figure(model, sitter, hair_detail(size), rng)
    prepared = prepare(figure, model.eyes)
    camera, light = camera_of(sitter.studio), light_of(sitter.studio)
    samples = size * supersampling(size)
    background = behind(backdrop(sitter.studio.backdrop), samples)
    for clip, length in enumerate(clip_lengths(frames)):
        motion = random_motion(rng, model.actions, length * STEP).every(STEP)
        poses = pose(model, figure, motion)
        pixels = np.stack([model.landmarks_of(camera, posed) for posed in poses])
        crop = _jittered(crop_box(pixels), rng)
        grain = np.random.default_rng([seed, number, clip])
        pictures = (
            develop(
                render(prepared, posed, camera, crop, light, background, samples),
                sitter.studio,
                size,
                grain,
            )
            for posed in poses
        )
        yield ClipFrames(
            person=f"sitter-{seed}-{number:06d}",
            video="0",
            clip=str(clip),
            split="test" if number % TEST_EVERY == TEST_EVERY - 1 else "train",
            source=f"seed {seed}, sitter {number}",
            fps=FPS / STEP,
            crop=crop,
            detector=DETECTOR,
            frames=pictures,
            landmarks=crop.to_crop(pixels),
            times=np.arange(length) * STEP / FPS,
            scores=np.ones(length),
        )


@lru_cache(maxsize=1)
def _model() -> Model:
    """One per process: workers write many shards."""
    return make_model(load_body())


def _write_shard(shard: int, n: int, out: Path, frames: int, size: int, seed: int) -> int:
    numbers = range(shard * SHARD, min(n, (shard + 1) * SHARD))
    model = _model()
    clips = (clip for number in numbers for clip in sitter_clips(model, number, frames, size, seed))
    write_shard(out, shard, clips)
    return len(numbers)


def write_sitters(
    n: int,
    out: str | os.PathLike,
    frames: int,
    size: int,
    seed: int = 0,
    workers: int = 1,
    on_sitters: Callable[[int], None] = lambda done: None,
) -> None:
    """Render n sitters, `frames` pictures of size x size each, into a new store `out`.

    The same (n, frames, size, seed) gives the same bytes, with any number of worker processes.
    on_sitters(done) is called with the number of finished sitters, now and then. The store appears
    when it is complete.
    """
    out = Path(out)
    if n < 1 or frames < 1 or size < 16 or workers < 1:
        raise HeadmimeError("n, frames and workers must be at least 1 and size at least 16.")
    if out.exists():
        raise HeadmimeError(f"{out} exists already: remove it or write to another folder.")
    load_body()  # fills the cache once, before several processes would
    unfinished = out.with_name(f".{out.name}.partial")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    work = partial(_write_shard, n=n, out=unfinished, frames=frames, size=size, seed=seed)
    shards = range((n + SHARD - 1) // SHARD)
    done = 0
    try:
        # spawn: a forked child would inherit warp's and OpenCV's threads in an unknown state
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            for count in pool.imap_unordered(work, shards):
                done += count
                on_sitters(done)
        finish_store(unfinished)
        os.replace(unfinished, out)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
