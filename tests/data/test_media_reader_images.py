"""Images of all kinds become upright RGB."""

from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from headmime.data.media_reader import read_image
from headmime.errors import HeadmimeError

RED, WHITE = (255, 0, 0), (255, 255, 255)


@pytest.fixture
def flag() -> Image.Image:
    """40 x 20, its top-left quarter red on white."""
    image = Image.new("RGB", (40, 20), "white")
    image.paste((255, 0, 0), (0, 0, 20, 10))
    return image


def test_a_plain_image_is_itself(flag: Image.Image, tmp_path: Path):
    flag.save(tmp_path / "flag, [1] = é.png")
    shown = read_image(tmp_path / "flag, [1] = é.png")
    assert shown.dtype == np.uint8 and shown.flags.writeable
    np.testing.assert_array_equal(shown, np.asarray(flag))


@pytest.mark.parametrize(
    ("orientation", "height", "corner"),
    [(1, 20, "top left"), (3, 20, "bottom right"), (6, 40, "top right"), (8, 40, "bottom left")],
)
def test_the_camera_was_held_otherwise(
    flag: Image.Image, tmp_path: Path, orientation: int, height: int, corner: str
):
    exif = Image.Exif()
    exif[0x0112] = orientation
    flag.save(tmp_path / "flag.png", exif=exif)
    shown = read_image(tmp_path / "flag.png")
    assert len(shown) == height
    corners = {"top left": (0, 0), "top right": (0, -1), "bottom left": (-1, 0)}
    row, column = corners.get(corner, (-1, -1))
    assert tuple(shown[row, column]) == RED


def test_transparency_is_put_on_white(flag: Image.Image, tmp_path: Path):
    see_through = flag.convert("RGBA")
    see_through.putalpha(0)
    see_through.paste((*RED, 128), (0, 0, 20, 10))
    see_through.save(tmp_path / "flag.png")
    shown = read_image(tmp_path / "flag.png")
    assert tuple(shown[-1, -1]) == WHITE
    assert np.abs(shown[0, 0].astype(int) - (255, 127, 127)).max() <= 1


@pytest.mark.parametrize("mode", ["P", "LA", "L", "1", "CMYK", "YCbCr"])
def test_every_kind_of_pixel_becomes_rgb(flag: Image.Image, tmp_path: Path, mode: str):
    # Pillow 12 writes a YCbCr TIFF that it cannot read, unless it is a JPEG inside.
    inside = "jpeg" if mode == "YCbCr" else None
    flag.convert(mode).save(tmp_path / "flag.tif", compression=inside)
    shown = read_image(tmp_path / "flag.tif")
    assert shown.shape == (20, 40, 3)
    assert shown[-1, -1].min() > 240 and shown[0, 0].min() < 200


def test_cmyk_jpeg(flag: Image.Image, tmp_path: Path):
    flag.convert("CMYK").save(tmp_path / "flag.jpg", quality=95)
    shown = read_image(tmp_path / "flag.jpg").astype(int)
    assert np.abs(shown[2, 2] - RED).max() < 10 and np.abs(shown[-2, -2] - WHITE).max() < 10


def test_16_bits_become_8(tmp_path: Path):
    ramp = np.linspace(0, 65535, 40 * 20).reshape(20, 40).astype(np.uint16)
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    shown = read_image(tmp_path / "ramp.png")
    assert np.abs(shown - ramp[..., None] / 257).max() <= 1


def test_an_animation_gives_its_first_frame(flag: Image.Image, tmp_path: Path):
    later = Image.new("RGB", flag.size, "black")
    for name in ("flag.gif", "flag.webp", "flag.png"):
        options = {"lossless": True} if name.endswith("webp") else {}
        flag.save(tmp_path / name, save_all=True, append_images=[later], **options)
        assert np.abs(read_image(tmp_path / name).astype(int) - np.asarray(flag)).max() < 4


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\nhalf"])
def test_what_is_no_image_is_named(tmp_path: Path, content: bytes):
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(HeadmimeError, match=r"x\.png cannot be read as an image"):
        read_image(tmp_path / "x.png")


def test_a_truncated_image_is_named(flag: Image.Image, tmp_path: Path):
    noise = np.random.default_rng(0).integers(0, 255, (99, 99, 3), dtype=np.uint8)
    for name in ("x.jpg", "x.png"):
        file = tmp_path / name
        Image.fromarray(noise).save(file)
        file.write_bytes(file.read_bytes()[:5000])
        with pytest.raises(HeadmimeError, match=r"x\.\w+ cannot be read as an image"):
            read_image(file)


def test_missing_files_and_folders(tmp_path: Path):
    with pytest.raises(HeadmimeError, match="No such file"):
        read_image(tmp_path / "nowhere.png")
    with pytest.raises(HeadmimeError, match="Is a directory"):
        read_image(tmp_path)


def test_an_image_too_large_to_be_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    Image.new("RGB", (200, 200)).save(tmp_path / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(HeadmimeError, match="large.png cannot be read"):
        read_image(tmp_path / "large.png")


def test_portraits(shared_data: Path):
    files = sorted((shared_data / "portraits").iterdir())
    assert files
    for file in files:
        shown = read_image(file)
        assert shown.ndim == 3 and shown.std() > 10


def test_images_of_telephones(flag: Image.Image, tmp_path: Path):
    pillow_heif.from_pillow(flag.resize((400, 200))).save(tmp_path / "flag.heic", quality=95)
    shown = read_image(tmp_path / "flag.heic")
    assert shown.shape == (200, 400, 3)
    assert np.abs(shown[30, 30].astype(int) - RED).max() < 12
    assert shown[-30, -30].min() > 240


def test_sixteen_bits_of_colour(flag: Image.Image, tmp_path: Path):
    deep = cv2.cvtColor(np.asarray(flag), cv2.COLOR_RGB2BGR).astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "flag.png"), deep)
    np.testing.assert_array_equal(read_image(tmp_path / "flag.png"), np.asarray(flag))
