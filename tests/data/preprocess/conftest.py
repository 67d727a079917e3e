"""Films of white squares on grey, and a detector that takes white squares for faces."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from headmime.data.preprocess import shard_tasks
from headmime.data.preprocess.clips import ClipSettings
from headmime.data.preprocess.layouts import Source
from headmime.data.preprocess.shard_tasks import Task
from headmime.landmarks.faces import Face, overlap
from headmime.landmarks.points import EYE_L, EYE_R

SIDE = 96  # of the films' frames
Square = tuple[int, int, int]  # left, top, side
RECIPE = ClipSettings(size=32, frames=4, quality=80, max_seconds=10)


@dataclass(frozen=True)
class Films:
    """How films are made: see the functions of the same names."""

    image: Callable[..., np.ndarray]
    one_person: Callable[..., list[np.ndarray]]
    write: Callable[..., Path]


def points_in_a_square() -> np.ndarray:
    """68 points in the unit square, eyes above the middle: float32 [68, 2]."""
    points = np.random.default_rng(0).uniform(0.1, 0.9, (68, 2))
    points[EYE_R], points[EYE_L] = (0.3, 0.4), (0.7, 0.4)
    points[[48, 54]] = (0.4, 0.75), (0.6, 0.75)
    return points.astype(np.float32)


class Squares:
    """Every white square is a face."""

    name = "dlib"  # for which the squares stand in
    batch = 1

    def detect(self, frames: Sequence[np.ndarray]) -> list[list[Face]]:
        return [self._squares(frame) for frame in frames]

    def follow(self, frame: np.ndarray, face: Face) -> Face | None:
        near = [one for one in self._squares(frame) if overlap(one.box, face.box) > 0.3]
        return near[0] if near else None

    def _squares(self, frame: np.ndarray) -> list[Face]:
        white = (frame.min(-1) > 220).astype(np.uint8)
        _, _, found, _ = cv2.connectedComponentsWithStats(white, connectivity=4)
        return [
            Face(points_in_a_square() * (w, h) + (x, y), 1.0, (x, y, x + w, y + h))
            for x, y, w, h, area in found[1:].tolist()
            if area >= 64
        ]


def image(*squares: Square, colour: tuple[int, int, int] = (90, 90, 90)) -> np.ndarray:
    """A frame with these white squares: uint8 [96, 96, 3]."""
    frame = np.full((SIDE, SIDE, 3), colour, np.uint8)
    for x, y, side in squares:
        frame[y : y + side, x : x + side] = 255
    return frame


def write_film(path: Path, frames: Sequence[np.ndarray], fps: int = 25) -> Path:
    """An mp4 of these frames."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame)))
        container.mux(stream.encode(None))
    return path


def one_person(frames: int = 12, left: int = 20, **changes) -> list[np.ndarray]:
    """Someone who moves to the right by a pixel per frame."""
    return [image((left + t % 24, 30, 32), **changes) for t in range(frames)]


@pytest.fixture(scope="session")
def films() -> Films:
    return Films(image, one_person, write_film)


@pytest.fixture
def clip_settings() -> ClipSettings:
    return RECIPE


@pytest.fixture
def squares(monkeypatch: pytest.MonkeyPatch) -> Squares:
    """Also the detector of all tasks that are done in this process."""
    detector = Squares()
    monkeypatch.setattr(shard_tasks, "_detector", lambda keys: detector)
    return detector


@pytest.fixture
def source() -> Callable[..., Source]:
    """The source that is the file of that name."""

    def make(file: str, **changes) -> Source:
        values = {"person": "anna", "video": "v", "clip": file, "file": file, "bytes": 1}
        return Source(**{**values, "split": "train", **changes})

    return make


@pytest.fixture
def data_set(tmp_path: Path) -> Path:
    """Three people's films in folders of their own, seven of them, and two files that are none."""
    root = tmp_path / "data"
    for n, name in enumerate(["anna/1", "anna/2", "anna/3", "ben/1", "ben/2", "cleo/1", "cleo/2"]):
        write_film(root / f"{name}.mp4", one_person(left=10 + 2 * n))
    (root / "cleo" / "empty.mp4").touch()
    (root / "notes.txt").write_text("not a film")
    return root


@pytest.fixture
def task(tmp_path: Path) -> Callable[..., Task]:
    """A shard of `out` from these sources."""

    def make(sources: Sequence[Source], number: int = 0, **changes) -> Task:
        out = tmp_path / "out"
        (out / ".work").mkdir(parents=True, exist_ok=True)
        keys = (("_target_", "headmime.landmarks.detect_dlib.DlibDetector"),)
        values = {"root": tmp_path / "data", "out": out, "clip_settings": RECIPE, "detector": keys}
        return Task(number=number, sources=tuple(sources), **{**values, **changes})

    return make
