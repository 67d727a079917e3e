"""Render sitters into a clip store: one person each, with one video of one or two clips."""

import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from headmime.data.protocol import AS, CROSS_SPLIT, OWN
from headmime.data.shards import ClipFrames, check_begun, finish_store, shard_path, write_shard
from headmime.errors import HeadmimeError
from headmime.files import locked, write_text
from headmime.landmarks.crop import Crop, crop_box
from headmime.sitters.backdrop import make_backdrop, sample_backdrop
from headmime.sitters.body import load_body
from headmime.sitters.detector import add_detector_error
from headmime.sitters.develop import develop
from headmime.sitters.figure import Pose, SitterModel, make_figure, make_model, pose
from headmime.sitters.identity import Sitter, random_sitter
from headmime.sitters.motion import FPS, Motion, random_motion
from headmime.sitters.render import camera_of, light_of, prepare, render
from headmime.threads import start_worker, threads_of_children

Clips = Callable[[SitterModel, int], Iterator[ClipFrames]]

STEP = 20
"""Frames of the motion (25/s) from one stored frame to the next: few frames show much movement."""

SHARD = 32
"""Sitters per shard, whatever the number of processes: the store's bytes do not depend on it."""

CROSS_SHARD = 8
"""Sitters of the split "cross" per shard: each has several videos."""

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


def _framing_jitter(crop: Crop, rng: Generator) -> Crop:
    """The small differences of framing that crops of real clips have."""
    side = crop.side * float(np.exp(np.clip(rng.normal() * 0.035, -0.08, 0.08)))
    shift = np.clip(rng.normal(size=2) * 0.012, -0.03, 0.03) * crop.side
    middle = np.array([crop.x, crop.y]) + crop.side / 2 + shift
    x, y = (middle - side / 2).tolist()
    return Crop(x, y, side)


class SitterRenderer:
    """A sitter in its studio, ready for any motion. `rng` makes its skin and hair."""

    def __init__(self, model: SitterModel, sitter: Sitter, size: int, rng: Generator) -> None:
        self.model, self.studio, self.size = model, sitter.studio, size
        self.figure = make_figure(model, sitter, hair_detail(size), rng)
        self._prepared = prepare(self.figure, model.eyes)
        self._camera, self._light = camera_of(self.studio), light_of(self.studio)
        self._samples = size * supersampling(size)
        self._background = sample_backdrop(make_backdrop(self.studio.backdrop), self._samples)

    def clip(
        self,
        motion: Motion,
        grain: Generator,
        framed: Callable[[Crop], Crop] = lambda crop: crop,
        seen: Callable[[NDArray], NDArray] = lambda exact: exact,
        **names: str,
    ) -> ClipFrames:
        """Frames of a motion that has been thinned to every STEP-th; rendered when they are read.

        `framed` may change the crop rule's crop, and `seen` the points after that; `names` are the
        rest of the clip's fields.
        """
        poses = pose(self.model, self.figure, motion)
        pixels = np.stack([self.model.landmarks_of(self._camera, posed) for posed in poses])
        crop = framed(crop_box(pixels))
        return ClipFrames(
            fps=FPS / STEP,
            crop=crop,
            detector=DETECTOR,
            frames=develop(
                (self._light_of(posed, crop) for posed in poses),
                self.studio.develop,
                self.size,
                grain,
            ),
            landmarks=seen(crop.to_crop(pixels)),
            times=np.arange(len(poses)) * STEP / FPS,
            scores=np.ones(len(poses)),
            **names,
        )

    def _light_of(self, posed: Pose, crop: Crop) -> NDArray:
        light, behind, samples = self._light, self._background, self._samples
        return render(self._prepared, posed, self._camera, crop, light, behind, samples)


def sitter_clips(
    model: SitterModel, number: int, frames: int, size: int, seed: int, landmark_noise: float = 0.0
) -> Iterator[ClipFrames]:
    """All clips of sitter `number` of the series `seed`; the pictures are rendered when read.

    landmark_noise: of the split "train"; see `write_sitters`.
    """
    tested = number % TEST_EVERY == TEST_EVERY - 1
    rng = np.random.default_rng([seed, number])
    shoot = SitterRenderer(model, random_sitter(rng, model.body.local_names), size, rng)
    for clip, length in enumerate(clip_lengths(frames)):
        motion = random_motion(rng, model.actions, length * STEP).every(STEP)
        detecting = np.random.default_rng([seed, number, clip, 1])
        yield shoot.clip(
            motion,
            np.random.default_rng([seed, number, clip]),
            lambda crop: _framing_jitter(crop, rng),
            partial(add_detector_error, strength=0.0 if tested else landmark_noise, rng=detecting),
            person=f"sitter-{seed}-{number:06d}",
            video="0",
            clip=str(clip),
            split="test" if tested else "train",
            source=f"seed {seed}, sitter {number}",
        )


def cross_clips(
    model: SitterModel, number: int, cross: int, drivers: int, frames: int, size: int, seed: int
) -> Iterator[ClipFrames]:
    """The videos of person `number` of `cross`: its own motion, and that of the next `drivers`.

    These persons are none of the other sitters. Studio and camera are the same in all videos of a
    person, every video is framed by the crop rule, and frame t of `as-<driver>` has the motion of
    frame t of that driver's `own`.
    """
    names = [f"sitter-{seed}-cross-{k:06d}" for k in range(cross)]
    rng = np.random.default_rng([seed, number, 0, 0])
    shoot = SitterRenderer(model, random_sitter(rng, model.body.local_names), size, rng)
    for video in range(drivers + 1):
        mover = (number + video) % cross
        mover_rng = np.random.default_rng([seed, mover, 0, 1])
        motion = random_motion(mover_rng, model.actions, frames * STEP).every(STEP)
        yield shoot.clip(
            motion,
            np.random.default_rng([seed, number, mover, 2]),
            person=names[number],
            video=AS + names[mover] if video else OWN,
            clip="0",
            split=CROSS_SPLIT,
            source=f"seed {seed}, cross {number}, motion of {mover}",
        )


@lru_cache(maxsize=1)
def _model() -> SitterModel:
    """One per process: workers write many shards."""
    return make_model(load_body())


def _write_shard(job: tuple[int, Clips, range], out: Path) -> int:
    shard, clips_of, numbers = job
    model = _model()
    write_shard(out, shard, (clip for number in numbers for clip in clips_of(model, number)))
    return len(numbers)


def _jobs(
    n: int, cross: int, drivers: int, frames: int, size: int, seed: int, landmark_noise: float
) -> list[tuple[int, Clips, range]]:
    """(shard, what makes a sitter's clips, the sitters) of every shard: those of `cross` last."""
    usual = partial(
        sitter_clips, frames=frames, size=size, seed=seed, landmark_noise=landmark_noise
    )
    crossed = partial(
        cross_clips, cross=cross, drivers=drivers, frames=frames, size=size, seed=seed
    )
    parts = [(usual, part) for part in _parts(n, SHARD)]
    parts += [(crossed, part) for part in _parts(cross, CROSS_SHARD)]
    return [(shard, *part) for shard, part in enumerate(parts)]


def _parts(count: int, size: int) -> list[range]:
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
    """Render n sitters, `frames` pictures of size x size each, into a new store `out`.

    `cross` more make the split "cross": each moves like itself and like `drivers` of the others
    (see `cross_clips`). landmark_noise: size of a detector's errors in the landmarks of the split
    "train" (see `detector.detected`), 1 as measured, 0 none; those of the splits "test" and "cross"
    are exact. The same numbers and seed give the same bytes, with any number of worker
    processes. on_sitters(done) is called with the number of finished sitters, now and then. The
    store appears when it is complete; until then its shards are in the hidden folder
    `.<name>.partial` beside it, and a call with the same numbers goes on where another was stopped.
    """
    out = Path(out)
    if n < 1 or frames < 1 or size < 16 or workers < 1:
        raise HeadmimeError("n, frames and workers must be at least 1 and size at least 16.")
    if cross < 0 or drivers < 1 or 0 < cross <= drivers:
        raise HeadmimeError(
            f"cross={cross} should be 0 or more than drivers={drivers}, and drivers at least 1: "
            "everybody is driven by others."
        )
    if not 0 <= landmark_noise <= 5:
        raise HeadmimeError(f"landmark_noise={landmark_noise} should be from 0 (exact) to 5.")
    if out.exists():
        raise HeadmimeError(f"{out} exists already: remove it or write to another folder.")
    load_body()  # fills the cache once, before several processes would
    settings: dict[str, Any] = {
        "n": n,
        "cross": cross,
        "drivers": drivers,
        "frames": frames,
        "size": size,
    }
    settings |= {"seed": seed, "landmark_noise": landmark_noise}
    work = out.with_name(f".{out.name}.partial")
    unfinished = work / "store"
    unfinished.mkdir(parents=True, exist_ok=True)
    with locked(work / "lock", out):
        _begin(settings | {"headmime": version("headmime")}, work, out)
        jobs = _jobs(**settings)
        missing = [job for job in jobs if not shard_path(unfinished, job[0]).exists()]
        done = n + cross - sum(len(numbers) for *_, numbers in missing)
        on_sitters(done)
        # spawn: a forked child would inherit warp's and OpenCV's threads in an unknown state
        with threads_of_children(1):
            pool = multiprocessing.get_context("spawn").Pool(workers, start_worker)
        with pool:
            for count in pool.imap_unordered(partial(_write_shard, out=unfinished), missing):
                done += count
                on_sitters(done)
        finish_store(unfinished)
        os.replace(unfinished, out)
        shutil.rmtree(work)


def _begin(settings: dict[str, Any], work: Path, out: Path) -> None:
    """Keep the settings; HeadmimeError if `out` was begun with others."""
    file = work / "settings.json"
    if not file.exists():
        write_text(file, json.dumps(settings) + "\n")
    check_begun(out, settings, json.loads(file.read_text()))
