"""A tiny model, the bundled picture, videos made from it, and a detector that needs no search."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from headmime.animate.model import Model
from headmime.data.image_reader import read_image
from headmime.landmarks.crop import crop_box
from headmime.landmarks.detect import load_detector
from headmime.landmarks.faces import Detector, Face
from headmime.nets import Nets
from headmime.nets.shape import ModelShape


@pytest.fixture(scope="session")
def dlib() -> Detector:
    return load_detector("dlib")


@pytest.fixture(scope="session")
def mona_pixels(mona_lisa: Path, dlib: Detector) -> np.ndarray:
    """Her 68 points [68, 2] in the picture's pixels."""
    return dlib.detect([read_image(mona_lisa)])[0][0].pixels


@pytest.fixture(scope="session")
def mona_landmarks(mona_pixels: np.ndarray) -> np.ndarray:
    """Her 68 points [68, 2] in crop coordinates."""
    return crop_box(mona_pixels[None]).to_crop(mona_pixels)


@pytest.fixture
def model(nets: Nets, tiny: ModelShape) -> Model:
    for net in nets:
        net.eval()
    return Model(nets, tiny, sha256="0" * 64, record={"detector": "dlib"})


class Marked:
    """A detector for made-up frames: the value of the first pixel is the number of faces there.

    The k-th face is `face` scaled by 1 / (k + 1), moved right by the second pixel's value.
    """

    name = "dlib"
    batch = 1

    def __init__(self, face: np.ndarray) -> None:
        self.face = face
        self.detected = 0

    def detect(self, frames: Sequence[np.ndarray]) -> list[list[Face]]:
        self.detected += len(frames)
        return [[self._face(frame, k) for k in range(frame[0, 0, 0])] for frame in frames]

    def follow(self, frame: np.ndarray, face: Face) -> Face | None:
        return self._face(frame, 0) if frame[0, 0, 0] else None

    def _face(self, frame: np.ndarray, k: int) -> Face:
        pixels = self.face / (k + 1) + (float(frame[0, 1, 0]), 0)
        return Face(pixels.astype(np.float32), 1.0, (*pixels.min(0), *pixels.max(0)))


@pytest.fixture
def marked(mona_pixels: np.ndarray) -> Marked:
    return Marked(mona_pixels / 8)


@pytest.fixture
def marked_frames() -> Callable[..., list[np.ndarray]]:
    """Frames of 64x64 for `Marked`: (faces, shift) each."""

    def frames(*marks: tuple[int, int]) -> list[np.ndarray]:
        pictures = []
        for faces, shift in marks:
            picture = np.full((64, 64, 3), 60, np.uint8)
            picture[0, 0], picture[0, 1] = faces, shift
            pictures.append(picture)
        return pictures

    return frames


def write_video(path: Path, frames: Sequence[np.ndarray], times: Sequence[Fraction]) -> Path:
    """A lossless video, so that made-up marks survive; each frame at its time in seconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264rgb", rate=25, options={"crf": "0"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt, stream.time_base = "rgb24", Fraction(1, 1000)
        stream.codec_context.time_base = Fraction(1, 1000)
        for picture, time in zip(frames, times, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = round(time * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def video(tmp_path: Path) -> Callable[..., Path]:
    """Write frames as a video of 25 frames a second (or at the given times)."""

    def write(
        name: str, frames: Sequence[np.ndarray], times: Sequence[Fraction] | None = None
    ) -> Path:
        return write_video(
            tmp_path / name, frames, times or [Fraction(k, 25) for k in range(len(frames))]
        )

    return write


@pytest.fixture(scope="session")
def moving(tmp_path_factory: pytest.TempPathFactory, mona_lisa: Path) -> Path:
    """The painting, moved sideways and nearer: 12 frames of 256x256, 25 a second."""
    picture = read_image(mona_lisa)
    frames = []
    for k in range(12):
        side = 512 - 8 * k
        part = picture[2 * k : 2 * k + side, 6 * k : 6 * k + side]
        places = (np.arange(256) * side) // 256
        frames.append(np.ascontiguousarray(part[places][:, places]))
    path = tmp_path_factory.mktemp("moving") / "moving.mp4"
    return write_video(path, frames, [Fraction(k, 25) for k in range(12)])
