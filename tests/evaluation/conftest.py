"""A small store of made-up people, and scoring networks that need no weights."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from headmime.data.protocol import sample_cases
from headmime.data.shards import ClipFrames, finish_store, write_shard
from headmime.data.store import Store
from headmime.evaluation.baselines import copy_first, copy_nearest, warp_nearest
from headmime.evaluation.evaluate import EvalContext, evaluate
from headmime.evaluation.frame_features import Scorers
from headmime.evaluation.metrics.motion import HEAD, RIGID
from headmime.evaluation.results import (
    summarise,
    write_result,
)
from headmime.evaluation.trials import self_trials
from headmime.landmarks.crop import Crop
from headmime.landmarks.faces import Face

PERSONS, FRAMES, SIZE = 6, 24, 32


def face(mouth: float, shift: float) -> np.ndarray:
    """A face [68, 2] in crop coordinates: its mouth opens, and its nose turns by `shift`."""
    points = np.random.default_rng(5).uniform(0.3, 0.7, (68, 2))
    points[RIGID] = 0.5 + (HEAD - HEAD.mean(0))[:, :2] / 250
    points[37:42] = points[36] + (points[39] - points[36]) * 0.5
    points[43:48] = points[42] + (points[45] - points[42]) * 0.5
    points[60:68] = np.stack([np.linspace(0.4, 0.6, 8), np.full(8, 0.7)], -1)
    points[[48, 54]] = points[[60, 64]] = (0.4, 0.7), (0.6, 0.7)
    points[[61, 62, 63], 0] = points[[67, 66, 65], 0] = (0.45, 0.5, 0.55)
    points[65:68, 1] += mouth
    points[27:36, 0] += shift
    return points.astype(np.float32)


def clip(person: int, number: int, moves: bool) -> ClipFrames:
    """A person is a colour, and a frame a gradient of it whose slope follows the motion."""
    phase = np.arange(FRAMES // 2) + 100 * number + 10 * person
    motion = np.stack([0.04 + 0.04 * np.sin(phase), 0.05 * np.cos(1.7 * phase)], -1)
    landmarks = np.stack([face(*(motion[t] if moves else motion[0])) for t in range(len(phase))])
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    colour = np.random.default_rng(person).uniform(60, 190, 3)
    frames = []
    for t in range(len(phase)):
        slope = 60 * motion[t if moves else 0, 1] / 0.05
        frames.append(np.uint8(np.clip(colour + (slope * (x + y - 1))[..., None], 0, 255)))
    return ClipFrames(
        person=f"person-{person}",
        video="0",
        clip=str(number),
        split="test",
        source="made up",
        fps=25.0,
        crop=Crop(0, 0, SIZE),
        detector="dlib",
        frames=frames,
        landmarks=landmarks,
        times=np.arange(len(phase)) / 25,
        scores=np.ones(len(phase)),
    )


def made_store(folder: Path, moves: bool) -> Store:
    clips = [clip(person, number, moves) for person in range(PERSONS) for number in (0, 1)]
    if not moves:
        for one in clips:
            of_person = next(other for other in clips if other.person == one.person)
            one.frames[:] = [of_person.frames[0]] * len(one.frames)
            one.landmarks[:] = clips[0].landmarks[0]
    write_shard(folder, 0, clips)
    return finish_store(folder)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Six people, two clips of twelve frames each, 32x32."""
    return made_store(tmp_path_factory.mktemp("store"), moves=True)


@pytest.fixture(scope="session")
def static_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The same people, of whom nobody moves."""
    return made_store(tmp_path_factory.mktemp("static"), moves=False)


class MeanColour:
    """Identity and features: the mean colour of a picture."""

    name = "mean-colour"

    def __init__(self) -> None:
        self.origin = {"files": {"colour": "c0ffee"}, "stand_in": True}
        self.seen = 0

    def __call__(self, frames: np.ndarray, landmarks: np.ndarray | None = None) -> np.ndarray:
        self.seen += len(frames)
        return (frames.mean((1, 2)) - 127).astype(np.float32)


class PixelDistance:
    """L1."""

    name = "pixels"
    origin = {"files": {}, "stand_in": True}

    def __call__(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return abs(one.astype(np.float32) - other).mean((1, 2, 3)) / 255


class Everywhere:
    """A detector that finds the face where it is expected."""

    name = "everywhere"

    def detect(self, frames: Sequence[np.ndarray]) -> list[list[Face]]:
        raise AssertionError("made frames are only followed")

    def follow(self, frame: np.ndarray, face: Face) -> Face | None:
        return face


def made_context(store: Store, memory: Path) -> EvalContext:
    """Self-reenactment of all six people, 12 frames each."""
    cases = sample_cases(store, split="test", held_out=12, sources=8).cases
    scorers = Scorers(MeanColour(), MeanColour(), PixelDistance(), Everywhere())
    trials = self_trials(store, cases)
    return EvalContext(store, trials, SIZE, "absolute", scorers, memory)


@pytest.fixture
def context(store: Store, tmp_path: Path) -> EvalContext:
    return made_context(store, tmp_path)


@pytest.fixture(scope="module")
def lasting_context(store: Store, tmp_path_factory: pytest.TempPathFactory) -> EvalContext:
    """The same, for tests that share its rows."""
    return made_context(store, tmp_path_factory.mktemp("memory"))


def settings(method, T=8):
    return {
        "dataset": "made up",
        "store": "5" * 64,
        "split": "test",
        "mode": "self",
        "motion": "absolute",
        "trials": 6,
        "persons": 6,
        "size": 32,
        "method": method,
        "T": T,
        "checkpoint": "c" * 64 if method in ("ff", "ft") else None,
        "seed": 0,
    }


def inverted(frames, landmarks):
    return lambda asked: np.repeat(255 - frames[:1], len(asked), 0)


@pytest.fixture(scope="module")
def files(lasting_context, tmp_path_factory):
    """Result files by method; "ft" has the colours of somebody else: it loses to the warp."""
    context = lasting_context
    folder = tmp_path_factory.mktemp("results")
    adapts = {
        "copy": copy_first,
        "nearest": copy_nearest,
        "warp": warp_nearest,
        "ft": inverted,
        "real": None,
    }
    written = {}
    for method, adapt in adapts.items():
        row = evaluate(context, adapt, 8, method)
        result = summarise(settings(method), row, context.scorers.origin, True, 0)
        result.origin.update(command=f"headmime eval method={method}")
        written[method] = write_result(folder, result, row)
    return written
