"""Source images of several people are told."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headmime.animate.same_person import linked
from headmime.animate.sources import load_sources
from headmime.landmarks.faces import Detector


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


def test_images_are_linked_through_others() -> None:
    near = np.eye(5, dtype=bool)
    for a, b in [(0, 2), (2, 4), (1, 3)]:
        near[a, b] = near[b, a] = True
    assert linked(near) == [[0, 2, 4], [1, 3]]
    assert linked(np.eye(2, dtype=bool)) == [[0], [1]]


def test_one_person_is_one(
    mona_lisa: Path, dlib: Detector, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The painting, darker, and tilted."""
    picture = Image.open(mona_lisa).convert("RGB")
    picture.rotate(8).save(tmp_path / "tilted.png")
    picture.point(lambda value: value // 2).save(tmp_path / "dark.png")
    load_sources([mona_lisa, tmp_path / "tilted.png", tmp_path / "dark.png"], 8, 32, dlib)
    assert not warnings(caplog)


def test_a_stranger_among_images_is_named(
    mona_lisa: Path, dlib: Detector, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = pytest.importorskip("skimage.data")
    Image.open(mona_lisa).rotate(5).save(tmp_path / "again.png")
    Image.fromarray(data.astronaut()).save(tmp_path / "astronaut.png")
    load_sources([mona_lisa, tmp_path / "astronaut.png", tmp_path / "again.png"], 8, 32, dlib)
    (said,) = warnings(caplog)
    assert said.startswith("astronaut.png may show another person than mona_lisa.jpg")
    caplog.clear()
    load_sources([tmp_path / "astronaut.png"], 8, 32, dlib)
    assert not warnings(caplog)
