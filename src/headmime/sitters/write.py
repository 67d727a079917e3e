"""Renders sitters into a clip store: each is a person with one video of one or two clips."""

import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from headmime.data.protocol import AS, CROSS_SPLIT, OWN
from headmime.data.shards import ClipFrames, check_settings, finish_store, shard_path, write_shard
from headmime.errors import HeadmimeError
from headmime.files import hold_lock, write_text
from headmime.landmarks.crop import Crop, crop_box
from headmime.sitters.body import load_body
from headmime.sitters.detector import add_detector_error
from headmime.sitters.develop import develop
from headmime.sitters.figure import SitterModel, make_figure, make_model, pose
from headmime.sitters.identity import Sitter, random_sitter
from headmime.sitters.motion import FPS, Motion, random_motion
from headmime.sitters.render import Scene
from headmime.threads import init_worker, limit_child_threads

Clips = Callable[[SitterModel, int], Iterator[ClipFrames]]

STEP = 20
"""Motion frames (25/s) between stored frames: large, so that few frames have much motion."""

SHARD = 32
"""Sitters per shard, independent of the number of processes, and so are the store's bytes."""

CROSS_SHARD = 8
"""Sitters of the split "cross" per shard: each has several videos."""

TEST_EVERY = 20
"""Every twentieth sitter is in the split "test"."""

DETECTOR = "dlib"
"""Recorded in the store: the exact landmarks imitate this detector's, so that models trained on
them can be used with it.
"""


def supersampling(size: int) -> int:
    """Samples per pixel and direction; small images need more for the same antialiasing."""
    return 3 if size <= 96 else 2


def hair_detail(size: int) -> float:
    """Share of the strands of hair that are rendered: fewer and wider ones in small images."""
    return 0.6 if size <= 96 else 1.0


def clip_lengths(frames: int) -> list[int]:
    """Frames per clip of a sitter: two clips with slightly different crops, if long enough."""
    return [frames - frames // 2, frames // 2] if frames >= 8 else [frames]


def _framing_jitter(crop: Crop, rng: Generator) -> Crop:
    """Apply small random differences of framing, as in crops of real clips."""
    side = crop.side * float(np.exp(np.clip(rng.normal() * 0.035, -0.08, 0.08)))
    shift = np.clip(rng.normal(size=2) * 0.012, -0.03, 0.03) * crop.side
    middle = np.array([crop.x, crop.y]) + crop.side / 2 + shift
    x, y = (middle - side / 2).tolist()
    return Crop(x, y, side)


class SitterRenderer:
    """Renders any motion of a sitter in its studio. `rng` generates skin and hair."""

    def __init__(self, model: SitterModel, sitter: Sitter, size: int, rng: Generator) -> None:
        self.model, self.size = model, size
        self.figure = make_figure(model, sitter, hair_detail(size), rng)
        self._scene = Scene(self.figure, model.eyes, size * supersampling(size))

    def clip(
        self,
        motion: Motion,
        grain: Generator,
        adjust_crop: Callable[[Crop], Crop] = lambda crop: crop,
        adjust_landmarks: Callable[[NDArray], NDArray] = lambda exact: exact,
        **names: str,
    ) -> ClipFrames:
        """Frames of a motion, which was thinned to every STEP-th; rendered lazily.

        `adjust_crop` changes the crop of the crop rule, then `adjust_landmarks` the landmarks;
        `names`: the clip's other fields.
        """
        poses = pose(self.model, self.figure, motion)
        pixels = np.stack(
            [self.model.locate_landmarks(self._scene.camera, posed) for posed in poses]
        )
        crop = adjust_crop(crop_box(pixels))
        images = (self._scene.render(posed, crop) for posed in poses)
        return ClipFrames(
            fps=FPS / STEP,
            crop=crop,
            detector=DETECTOR,
            frames=develop(images, self.figure.sitter.studio.develop, self.size, grain),
            landmarks=adjust_landmarks(crop.to_crop(pixels)),
            times=np.arange(len(poses)) * STEP / FPS,
            scores=np.ones(len(poses)),
            **names,
        )


def sitter_clips(
    model: SitterModel, number: int, frames: int, size: int, seed: int, landmark_noise: float = 0.0
) -> Iterator[ClipFrames]:
    """Yield the clips of sitter `number` of the series `seed`, with lazily rendered images.

    landmark_noise: of the split "train"; see `write_sitters`.
    """
    is_test = number % TEST_EVERY == TEST_EVERY - 1
    rng = np.random.default_rng([seed, number])
    renderer = SitterRenderer(model, random_sitter(rng, model.body.local_names), size, rng)
    for clip, length in enumerate(clip_lengths(frames)):
        motion = random_motion(rng, model.actions, length * STEP).every(STEP)
        noise_rng = np.random.default_rng([seed, number, clip, 1])
        strength = 0.0 if is_test else landmark_noise
        yield renderer.clip(
            motion,
            np.random.default_rng([seed, number, clip]),
            lambda crop: _framing_jitter(crop, rng),
            partial(add_detector_error, strength=strength, rng=noise_rng),
            person=f"sitter-{seed}-{number:06d}",
            video="0",
            clip=str(clip),
            split="test" if is_test else "train",
            source=f"seed {seed}, sitter {number}",
        )


def cross_clips(
    model: SitterModel, number: int, cross: int, drivers: int, frames: int, size: int, seed: int
) -> Iterator[ClipFrames]:
    """Yield the videos of person `number` of `cross`: its own motion, and that of the next
    `drivers` persons.

    These persons differ from the other sitters. Studio and camera are the same in all videos of a
    person, every video has the crop of the crop rule, and frame t of `as-<driver>` has the motion
    of frame t of that driver's `own`.
    """
    names = [f"sitter-{seed}-cross-{k:06d}" for k in range(cross)]
    rng = np.random.default_rng([seed, number, 0, 0])
    renderer = SitterRenderer(model, random_sitter(rng, model.body.local_names), size, rng)
    for video in range(drivers + 1):
        driver = (number + video) % cross
        driver_rng = np.random.default_rng([seed, driver, 0, 1])
        motion = random_motion(driver_rng, model.actions, frames * STEP).every(STEP)
        yield renderer.clip(
            motion,
            np.random.default_rng([seed, number, driver, 2]),
            person=names[number],
            video=AS + names[driver] if video else OWN,
            clip="0",
            split=CROSS_SPLIT,
            source=f"seed {seed}, cross {number}, motion of {driver}",
        )


@lru_cache(maxsize=1)
def _model() -> SitterModel:
    """The model, made once per process."""
    return make_model(load_body())


def _write_shard(job: tuple[int, Clips, range], out: Path) -> int:
    shard, clips_of, numbers = job
    model = _model()
    write_shard(out, shard, (clip for number in numbers for clip in clips_of(model, number)))
    return len(numbers)


def _jobs(
    n: int, cross: int, drivers: int, frames: int, size: int, seed: int, landmark_noise: float
) -> list[tuple[int, Clips, range]]:
    """(shard, function of a sitter's clips, sitters) of every shard; those of `cross` are last."""
    plain = partial(
        sitter_clips, frames=frames, size=size, seed=seed, landmark_noise=landmark_noise
    )
    with_drivers = partial(
        cross_clips, cross=cross, drivers=drivers, frames=frames, size=size, seed=seed
    )
    parts = [(plain, part) for part in _split_range(n, SHARD)]
    parts += [(with_drivers, part) for part in _split_range(cross, CROSS_SHARD)]
    return [(shard, *part) for shard, part in enumerate(parts)]


def _split_range(count: int, size: int) -> list[range]:
    return [range(first, min(count, first + size)) for first in range(0, count, size)]


def write_sitters(
    n: int,
    out: str | os.PathLike,
    frames: int,
    size: int,
    seed: int = 0,
    workers: int = 1,
    on_sitters: Callable[[int], None] = lambda done: None,
    cross: int = 0,
    drivers: int = 3,
    landmark_noise: float = 1.0,
) -> None:
    """Render n sitters, `frames` images of size x size each, into a new store `out`.

    `cross` further sitters make the split "cross": each with its own motion and that of `drivers`
    others (see `cross_clips`). landmark_noise: size of simulated detector errors in the landmarks
    of the split "train" (see `detector.add_detector_error`), 1 as measured, 0 none; landmarks of
    "test" and "cross" are exact. Equal arguments give equal bytes for any number of workers.
    on_sitters(done) reports the number of finished sitters. The store appears when it is complete;
    until then its shards are in the hidden folder `.<name>.partial` beside it, from which a call
    with the same arguments continues.
    """
    out = Path(out)
    if n < 1 or frames < 1 or size < 16 or workers < 1:
        raise HeadmimeError("n, frames and workers must be at least 1 and size at least 16.")
    if cross < 0 or drivers < 1 or 0 < cross <= drivers:
        raise HeadmimeError(
            f"cross={cross} should be 0 or more than drivers={drivers}, and drivers at least 1: "
            "each is driven by others."
        )
    if not 0 <= landmark_noise <= 5:
        raise HeadmimeError(f"landmark_noise={landmark_noise} should be from 0 (exact) to 5.")
    if out.exists():
        raise HeadmimeError(f"{out} exists already: remove it or write to another folder.")
    load_body()  # fills the cache before the worker processes need it
    settings: dict[str, Any] = {"n": n, "cross": cross, "drivers": drivers, "frames": frames}
    settings |= {"size": size, "seed": seed, "landmark_noise": landmark_noise}
    work = out.with_name(f".{out.name}.partial")
    unfinished = work / "store"
    unfinished.mkdir(parents=True, exist_ok=True)
    with hold_lock(work / "lock", out):
        _save_settings(settings | {"headmime": version("headmime")}, work, out)
        jobs = _jobs(**settings)
        missing = [job for job in jobs if not shard_path(unfinished, job[0]).exists()]
        done = n + cross - sum(len(numbers) for *_, numbers in missing)
        on_sitters(done)
        # spawn: a forked child would inherit warp's and OpenCV's threads in an unknown state
        with limit_child_threads(1):
            pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), init_worker)
            running = [pool.submit(_write_shard, job, unfinished) for job in missing]
        with pool:
            try:
                for shard in as_completed(running):
                    done += shard.result()
                    on_sitters(done)
            except BaseException as error:
                for process in multiprocessing.active_children():
                    process.kill()
                if isinstance(error, BrokenProcessPool):
                    raise HeadmimeError(
                        "A process that renders was killed, as the system does when memory is"
                        f" short: the same command goes on with {out}; choose fewer workers=."
                    ) from error
                raise
        finish_store(unfinished)
        os.replace(unfinished, out)
        shutil.rmtree(work)


def _save_settings(settings: dict[str, Any], work: Path, out: Path) -> None:
    """Save the settings; HeadmimeError if the unfinished `out` has others."""
    file = work / "settings.json"
    if not file.exists():
        write_text(file, json.dumps(settings) + "\n")
    check_settings(out, settings, json.loads(file.read_text()))
