"""`headmime animate` with videos as people have them, each as source and as driving at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from headmime.cli import main
from headmime.data.media_reader import read_video, read_video_info
from headmime.landmarks.detect import load_detector

Pictures = Sequence[np.ndarray]


@dataclass(frozen=True)
class Kind:
    """A video, written with `rate` or at `times`; its animation has `frames`, `fps` a second (if
    it has `times`, it is as long as these would be).
    """

    frames: int
    fps: int = 25
    pictures: Callable[[Pictures], Pictures] = list
    rate: int | None = None
    times: Sequence[float] | None = None
    name: str = "clip.mp4"
    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    rotation: int = 0
    options: dict[str, str] = field(default_factory=dict)
    said: str = ""


def lying(pictures: Pictures) -> Pictures:
    """Of a telephone held upright: 192 x 256 when shown, stored as 256 x 192."""
    return [np.ascontiguousarray(np.rot90(picture[:, 32:224])) for picture in pictures]


def beside_a_child(pictures: Pictures) -> Pictures:
    small = [resized(picture, 192, 192) for picture in pictures]
    low = [np.pad(picture, ((64, 0), (0, 0), (0, 0)), "edge") for picture in small]
    return [np.hstack(pair) for pair in zip(low, pictures, strict=True)]


def gone_for_a_second(pictures: Pictures) -> Pictures:
    return [*pictures[:3], *[np.full((256, 256, 3), 90, np.uint8)] * 5, *pictures[3:]]


def resized(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC))


QUICK = {
    "ten bits, held upright": Kind(
        6, pictures=lying, rotation=90, codec="libx265", pix_fmt="yuv420p10le"
    ),
    "varying rate": Kind(9, times=[0, 0.04, 0.08, 0.16, 0.24, 0.32]),
    "transparent, of odd sides": Kind(
        6,
        pictures=lambda pictures: [resized(picture, 351, 287) for picture in pictures],
        name="clip.webm",
        codec="libvpx-vp9",
        pix_fmt="yuva420p",
    ),
    "grey, interlaced": Kind(6, pix_fmt="gray", options={"x264-params": "interlaced=1:tff=1"}),
}
SLOW = {
    "one frame": Kind(1, pictures=lambda pictures: pictures[:1]),
    "two people": Kind(
        6, pictures=beside_a_child, said="clip.mp4: 2 faces; the largest is followed."
    ),
    "a second without a face": Kind(11, 5, pictures=gone_for_a_second, said="clip.mp4: no face in"),
    "slow motion": Kind(6, 60, rate=240, pictures=lambda pictures: np.repeat(pictures, 4, 0)),
    "4K": Kind(
        2, pictures=lambda pictures: [resized(picture, 3840, 2160) for picture in pictures[:2]]
    ),
}


@pytest.fixture(scope="module")
def nodding(mona_lisa: Path) -> Pictures:
    """Six of the painting, which turns a little: uint8 [256, 256, 3]."""
    picture = Image.open(mona_lisa).convert("RGB").resize((256, 256))
    return [np.asarray(picture.rotate(k, Image.Resampling.BICUBIC)) for k in range(6)]


def written(path: Path, kind: Kind, pictures: Pictures) -> None:
    rate = kind.rate or kind.fps
    times = kind.times or [k / rate for k in range(len(pictures))]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(kind.codec, rate=rate, options=kind.options)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = kind.pix_fmt
        stream.codec_context.time_base = Fraction(1, 1200)
        if kind.rotation:
            stream.set_display_rotation(kind.rotation)
        for picture, time in zip(pictures, times, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = round(1200 * time), Fraction(1, 1200)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(
    "kind",
    [
        *(pytest.param(kind, id=name) for name, kind in QUICK.items()),
        *(pytest.param(kind, id=name, marks=pytest.mark.slow) for name, kind in SLOW.items()),
    ],
)
def test_a_video_moves_itself(
    kind: Kind,
    nodding: Pictures,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As fast and as long as it is, upright, and with a word where something was left out."""
    monkeypatch.chdir(tmp_path)
    written(tmp_path / kind.name, kind, kind.pictures(nodding))
    words = [f"source={kind.name}", f"driving={kind.name}", "out=out.mp4", "detector=dlib"]
    assert main(["animate", *words, "finetune=none", "consent=own", "device=cpu"]) == 0
    assert kind.said in " ".join(capsys.readouterr().err.split())
    frames = [frame for frame, _ in read_video(tmp_path / "out.mp4")]
    fps = read_video_info(tmp_path / "out.mp4").fps
    if kind.times is None:
        assert (len(frames), fps) == (kind.frames, kind.fps)
    assert len(frames) / fps == pytest.approx(kind.frames / kind.fps, abs=0.05)
    face = load_detector("dlib").detect(frames[:1])[0][0].pixels / len(frames[0])
    assert face[8, 1] > face[36:48, 1].mean() + 0.2  # the chin is below the eyes
