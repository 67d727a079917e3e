"""A person with untrained networks, and a driver of two landmark shapes."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from headmime.animate.model import Model
from headmime.animate.person import Person
from headmime.animate.person import person_from_images as made_from
from headmime.animate.sources import load_sources
from headmime.data.image_reader import read_image
from headmime.landmarks.detect import load_detector
from headmime.landmarks.faces import Detector
from headmime.nets import Nets
from headmime.nets.shape import ModelShape
from headmime.provenance.statement import Consent


@pytest.fixture(scope="session")
def dlib() -> Detector:
    return load_detector("dlib")


@pytest.fixture
def person(nets: Nets, tiny: ModelShape, mona_lisa: Path, dlib: Detector) -> Person:
    """The Mona Lisa, feed-forward."""
    for net in nets:
        net.eval()
    model = Model(nets, tiny, sha256="0" * 64, record={"detector": "dlib"})
    sources = load_sources([mona_lisa], 1, tiny.image_size, dlib)
    return made_from(model, sources, None, None, Consent.PUBLIC_DOMAIN)


@pytest.fixture
def write_video(tmp_path: Path) -> Callable[..., Path]:
    """Frames as a video of so many a second."""

    def write(frames: list[np.ndarray], fps: int) -> Path:
        path = tmp_path / "driver.mp4"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=fps, options={"crf": "10"})
            stream.height, stream.width = frames[0].shape[:2]
            stream.pix_fmt = "yuv420p"
            for frame in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode(None))
        return path

    return write


@pytest.fixture
def nodding(write_video: Callable[..., Path], mona_lisa: Path) -> Path:
    """The painting, moved up and down: 30 frames of 256x256, 15 a second."""
    picture = read_image(mona_lisa)[:512, :512][::2, ::2]
    return write_video([np.roll(picture, round(6 * np.sin(k / 3)), 0) for k in range(30)], 15)
