"""What may be dropped on the page."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import av
import cv2
import imageio.v3 as iio
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from headmime.data.video_reader import read_video_info
from headmime.errors import HeadmimeError
from headmime.web.uploads import Limits, check_clip, check_sources, first_frame

LIMITS = Limits(pictures=3, megabytes=1, megapixels=1, seconds=2)


@pytest.fixture
def clip(tmp_path: Path) -> Callable[[int], Path]:
    """So many grey frames, ten a second."""

    def write(frames: int) -> Path:
        path = tmp_path / "clip.mp4"
        grey = np.full((frames, 64, 48, 3), 90, np.uint8)
        iio.imwrite(path, grey, plugin="pyav", codec="libx264", fps=10)
        return path

    return write


def test_pictures_and_clips_are_taken(mona_lisa: Path, clip: Callable[[int], Path]) -> None:
    check_sources([mona_lisa, clip(5)], LIMITS)
    check_clip(clip(20), LIMITS)


def test_the_content_counts_and_not_the_name(
    tmp_path: Path, mona_lisa: Path, clip: Callable[[int], Path]
) -> None:
    shutil.copy(mona_lisa, tmp_path / "picture.mp4")
    shutil.copy(clip(5), tmp_path / "clip.jpg")
    check_sources([tmp_path / "picture.mp4", tmp_path / "clip.jpg"], LIMITS)
    assert first_frame(tmp_path / "clip.jpg", LIMITS).shape == (64, 48, 3)
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.raises(HeadmimeError, match="text.jpg cannot be read, neither as a photo"):
        check_sources([tmp_path / "text.jpg"], LIMITS)


def flag() -> Image.Image:
    """Red above blue, 40 wide and 60 high."""
    pixels = np.zeros((60, 40, 3), np.uint8)
    pixels[:30, :, 0] = pixels[30:, :, 2] = 255
    return Image.fromarray(pixels)


def turned(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    flag().transpose(Image.Transpose.ROTATE_90).save(path, exif=exif, quality=95)


def deep(path: Path) -> None:
    pixels = np.asarray(flag())[:, :, ::-1].astype(np.uint16) * 257
    cv2.imwrite(str(path), pixels)


def film(path: Path) -> None:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=10, options={"crf": "0"})
        stream.width, stream.height, stream.pix_fmt = 60, 40, "yuv444p"
        stream.set_display_rotation(-90)
        lying = np.ascontiguousarray(np.rot90(np.asarray(flag())))
        out.mux(stream.encode(av.VideoFrame.from_ndarray(lying)))
        out.mux(stream.encode(None))


KINDS: dict[str, Callable[[Path], None]] = {
    "turned.jpg": turned,
    "printed.jpg": lambda path: flag().convert("CMYK").save(path, quality=95),
    "telephone.heic": lambda path: pillow_heif.from_pillow(flag()).save(path, quality=95),
    "moving.webp": lambda path: flag().save(
        path, save_all=True, append_images=[Image.new("RGB", (40, 60))]
    ),
    "deep.png": deep,
    "upright.mov": film,
}


@pytest.mark.parametrize("name", KINDS)
def test_what_telephones_and_printers_make_is_shown_as_it_is_meant(
    tmp_path: Path, name: str
) -> None:
    KINDS[name](tmp_path / name)
    check_sources([tmp_path / name], LIMITS)
    seen = first_frame(tmp_path / name, LIMITS).astype(int)
    assert seen.shape == (60, 40, 3)
    assert abs(seen[:25] - (255, 0, 0)).mean() < 12
    assert abs(seen[35:] - (0, 0, 255)).mean() < 12


def test_too_much_is_refused(tmp_path: Path, mona_lisa: Path, clip: Callable[[int], Path]) -> None:
    with pytest.raises(HeadmimeError, match="4 files; at most 3"):
        check_sources([mona_lisa] * 4, LIMITS)
    with pytest.raises(HeadmimeError, match="lasts longer than the 2 seconds"):
        check_clip(clip(30), LIMITS)
    with pytest.raises(HeadmimeError, match="lasts longer than the 2 seconds"):
        check_sources([clip(30)], LIMITS)
    iio.imwrite(tmp_path / "large.png", np.zeros((1001, 1000, 3), np.uint8))
    with pytest.raises(HeadmimeError, match="1 megapixels; at most 1"):
        check_sources([tmp_path / "large.png"], LIMITS)
    (tmp_path / "heavy.png").write_bytes(bytes(1_100_000))
    with pytest.raises(HeadmimeError, match="1 MB"):
        check_sources([tmp_path / "heavy.png"], LIMITS)


def test_what_was_deleted_is_said(tmp_path: Path) -> None:
    with pytest.raises(HeadmimeError, match="gone.png is gone.*again"):
        check_sources([tmp_path / "gone.png"], LIMITS)


def test_a_recording_that_does_not_say_how_long_it_is_is_measured(tmp_path: Path) -> None:
    for seconds, name in ((1, "short.webm"), (3, "long.webm")):
        with (tmp_path / name).open("wb") as file, av.open(Unseekable(file), "w", "webm") as out:
            stream = out.add_stream("libvpx", rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for _ in range(10 * seconds):
                grey = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8))
                out.mux(stream.encode(grey))
            out.mux(stream.encode(None))
    assert read_video_info(tmp_path / "long.webm").duration == 0
    check_clip(tmp_path / "short.webm", LIMITS)
    with pytest.raises(HeadmimeError, match="lasts longer than the 2 seconds"):
        check_clip(tmp_path / "long.webm", LIMITS)


class Unseekable:
    """A file as a stream: what is written last cannot be put at the beginning."""

    def __init__(self, file: BinaryIO) -> None:
        self.write = file.write


def test_a_damaged_image_is_one_sentence(failing: Path) -> None:
    with pytest.raises(HeadmimeError, match=r"empty_item\.avif cannot be read as an image"):
        first_frame(failing / "found" / "empty_item.avif", Limits())
