"""Images of all kinds become upright RGB."""

from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageOps

from headmime.data.image_reader import is_image, read_image
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


@pytest.mark.parametrize("name", ["rotated_negative_resolution", "rotated_text_resolution"])
def test_turned_by_exif_whose_other_tags_are_damaged(failing: Path, name: str):
    turned, stored = (
        read_image(failing / f"{name}.jpg"),
        cv2.imread(str(failing / f"{name}.jpg"), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION),
    )
    assert abs(np.rot90(stored[..., ::-1], -1).astype(int) - turned).mean() < 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation(tmp_path: Path, orientation: int):
    """Against Pillow's own turning of the same file."""
    stored = Image.fromarray(np.arange(8 * 16 * 3, dtype=np.uint8).reshape(8, 16, 3))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as file:
        expected = np.asarray(ImageOps.exif_transpose(file))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), expected)


@pytest.mark.parametrize("name", ["damaged_1.avif", "huge_png_without_suffix"])
def test_a_decoder_s_own_error_is_one_sentence(failing: Path, name: str):
    assert is_image(failing / name)
    with pytest.raises(HeadmimeError, match=rf"{name} cannot be read as an image \(.+\): give"):
        read_image(failing / name)


def test_a_colour_profile_is_applied(failing: Path, tmp_path: Path):
    """Display P3 (200, 60, 60) is sRGB (219, 37, 49)."""
    assert abs(read_image(failing / "display_p3.png")[0, 0].astype(int) - (219, 37, 49)).max() <= 1
    with Image.open(failing / "display_p3.png") as file:
        profile, p3 = file.info["icc_profile"], file.convert("RGBA")
    p3.putalpha(128)
    p3.save(tmp_path / "half.png", icc_profile=profile)
    half = (np.array((219, 37, 49)) + 255) / 2  # on white
    assert abs(read_image(tmp_path / "half.png")[0, 0] - half).max() <= 2
    p3.convert("RGB").save(tmp_path / "torn.png", icc_profile=b"torn")
    assert read_image(tmp_path / "torn.png")[0, 0].tolist() == [200, 60, 60]


@pytest.mark.parametrize(
    "dtype, top",
    [
        *(("f4", top) for top in (1, 255, 65535)),
        *(("i4", top) for top in (255, 65535, 2**31 - 1)),
        ("u2", 65535),
    ],
)
def test_deep_grey_images_keep_their_range(tmp_path: Path, dtype: str, top: float):
    ramp = np.tile(np.linspace(0, top, 16), (4, 1)).astype(dtype)
    Image.fromarray(ramp).save(tmp_path / "a.tif")
    np.testing.assert_allclose(read_image(tmp_path / "a.tif")[0, :, 0], np.arange(16) * 17, atol=1)
