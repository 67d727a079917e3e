"""What people really have: odd pictures and videos give a good result or one clear sentence."""

import logging
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from headmime.animate.driving import load_video, resample, trim
from headmime.animate.sources import Sources, load_sources
from headmime.data.media_reader import read_image
from headmime.errors import HeadmimeError
from headmime.landmarks.faces import Detector

SIZE = 64


@pytest.fixture(scope="module")
def painting(mona_lisa: Path) -> Image.Image:
    return Image.open(mona_lisa).convert("RGB")


def exif_rotated(picture: Image.Image, path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif)


def cmyk(picture: Image.Image, path: Path) -> None:
    picture.convert("CMYK").save(path, quality=95)


def animated_webp(picture: Image.Image, path: Path) -> None:
    picture.save(path, save_all=True, append_images=[Image.new("RGB", picture.size)])


def heic(picture: Image.Image, path: Path) -> None:
    pillow_heif.from_pillow(picture).save(path, quality=90)


def sixteen_bits(picture: Image.Image, path: Path) -> None:
    deep = cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2BGR).astype(np.uint16) * 257
    cv2.imwrite(str(path), deep)


def sixteen_bit_grey(picture: Image.Image, path: Path) -> None:
    cv2.imwrite(str(path), np.asarray(picture.convert("L")).astype(np.uint16) * 257)


def small(picture: Image.Image, path: Path) -> None:
    """Her face is 50 pixels wide."""
    picture.resize((150, 150)).save(path)


@pytest.mark.parametrize(
    ("write", "name", "apart"),
    [
        (exif_rotated, "held upright.jpg", 0.02),
        (cmyk, "printed.jpg", 0.02),
        (animated_webp, "moving.webp", 0.02),
        (heic, "telephone.heic", 0.02),
        (sixteen_bits, "deep.png", 0.01),
        (sixteen_bit_grey, "x-ray.png", 0.03),
        (small, "thumbnail.png", 0.05),
    ],
)
def test_pictures_of_odd_kinds(
    painting: Image.Image,
    mona_landmarks: np.ndarray,
    dlib: Detector,
    tmp_path: Path,
    write: Callable[[Image.Image, Path], None],
    name: str,
    apart: float,
) -> None:
    write(painting, tmp_path / name)
    sources = load_sources([tmp_path / name], 1, SIZE, dlib)
    assert abs(sources.landmarks[0] - mona_landmarks).mean() < apart
    assert sources.frames.shape == (1, SIZE, SIZE, 3)


def test_of_a_group_the_largest_face_is_taken(
    painting: Image.Image,
    mona_landmarks: np.ndarray,
    dlib: Detector,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    group = Image.new("RGB", (940, 520), "gray")
    group.paste(painting.resize((400, 400)), (10, 100))
    group.paste(painting, (420, 4))
    group.save(tmp_path / "group.png")
    sources = load_sources([tmp_path / "group.png"], 1, SIZE, dlib)
    assert abs(sources.landmarks[0] - mona_landmarks).mean() < 0.02
    assert sources.scene.crop.x > 420
    assert "group.png: 2 faces; the largest is taken." in caplog.messages


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    """As a child would: a circle, two dots, a line."""
    paper = np.full((400, 400, 3), 255, np.uint8)
    cv2.circle(paper, (200, 200), 120, (0, 0, 200), 4)
    for x in (155, 245):
        cv2.circle(paper, (x, 165), 8, (0, 0, 0), -1)
    cv2.ellipse(paper, (200, 240), (50, 25), 0, 0, 180, (0, 0, 0), 4)
    cv2.imwrite(str(tmp_path / "drawing.png"), paper)
    return tmp_path / "drawing.png"


@pytest.fixture
def cat(tmp_path: Path) -> Path:
    data = pytest.importorskip("skimage.data")
    Image.fromarray(data.chelsea()).save(tmp_path / "cat.png")
    return tmp_path / "cat.png"


@pytest.mark.parametrize("name", ["drawing", "cat"])
def test_what_is_no_person_is_one_sentence_or_a_face(
    name: str, dlib: Detector, request: pytest.FixtureRequest
) -> None:
    """A detector may see a face in anything; nothing else may happen."""
    file = request.getfixturevalue(name)
    try:
        sources = load_sources([file], 1, SIZE, dlib)
    except HeadmimeError as error:
        assert str(error) == f"{file}: no face was found; a larger, more frontal one may help."
    else:
        assert isinstance(sources, Sources)


def write_clip(
    path: Path,
    frames: list[np.ndarray],
    fps: int,
    codec: str,
    pix_fmt: str,
    rotation: int = 0,
    crf: str = "20",
) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps, options={"crf": crf})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt
        if rotation:
            stream.set_display_rotation(rotation)
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def test_a_telephone_held_upright(painting: Image.Image, dlib: Detector, tmp_path: Path) -> None:
    """Stored lying down, with a flag that says so, in both directions."""
    for turns, rotation in ((1, -90), (3, 90)):
        lying = np.ascontiguousarray(np.rot90(np.asarray(painting), turns))
        name = tmp_path / f"{turns}.mp4"
        path = write_clip(name, [lying] * 3, 30, "libx264", "yuv420p", rotation)
        driving = load_video(path, dlib)
        eyes, chin = driving.landmarks[0, 36:48, 1].mean(), driving.landmarks[0, 8, 1]
        assert chin > eyes + 0.2


def test_ten_bits_a_channel(
    painting: Image.Image, mona_landmarks: np.ndarray, dlib: Detector, tmp_path: Path
) -> None:
    frames = [np.asarray(painting)] * 3
    path = write_clip(tmp_path / "hdr.mp4", frames, 25, "libx265", "yuv420p10le")
    assert abs(load_video(path, dlib).landmarks[0] - mona_landmarks).mean() < 0.02


def test_four_k(painting: Image.Image, dlib: Detector, tmp_path: Path) -> None:
    wide = np.full((2160, 3840, 3), 90, np.uint8)
    wide[400:1424, 1000:2024] = np.asarray(painting.resize((1024, 1024)))
    path = write_clip(tmp_path / "4k.mp4", [wide] * 2, 25, "libx264", "yuv420p")
    driving = load_video(path, dlib)
    assert driving.landmarks.shape == (2, 68, 2)
    assert 600 < driving.side < 900
    assert driving.sound is None


def test_slow_motion_is_looked_at_sixty_times_a_second(
    marked: Detector, marked_frames: Callable, tmp_path: Path
) -> None:
    frames = marked_frames(*[(1, k // 4) for k in range(96)])
    path = write_clip(tmp_path / "slow.mp4", frames, 240, "libx264rgb", "rgb24", crf="0")
    driving = load_video(path, marked)
    assert (len(driving.landmarks), driving.fps) == (24, 60)
    x = driving.landmarks[:, 30, 0]
    assert np.diff(x) == pytest.approx(np.full(23, (x[-1] - x[0]) / 23), abs=0.01)


def test_varying_frame_rates(marked: Detector, marked_frames: Callable, video: Callable) -> None:
    """25 a second, then 5 a second, of a head that moves evenly in time."""
    times = [Fraction(k, 25) for k in range(25)] + [1 + Fraction(k, 5) for k in range(6)]
    path = video("vfr.mp4", marked_frames(*[(1, round(20 * t)) for t in times]), times)
    driving = load_video(path, marked)
    x = driving.landmarks[:, 30, 0]
    assert len(x) / float(driving.fps) == pytest.approx(2, abs=0.15)
    middle = x[len(x) // 2] - x[0]
    assert middle / (x[-1] - x[0]) == pytest.approx(0.5, abs=0.06)


def test_a_part_of_a_video(marked: Detector, marked_frames: Callable, video: Callable) -> None:
    path = video("all.mp4", marked_frames(*[(1, k) for k in range(50)]))
    assert len(load_video(path, marked, start=0.4, end=1.2).landmarks) == 20
    assert len(trim(load_video(path, marked), 0.4, 1.2).landmarks) == 20
    with pytest.raises(HeadmimeError, match=r"all\.mp4 has no frames between start=5 \(in sec"):
        load_video(path, marked, start=5)
    with pytest.raises(HeadmimeError, match="has no frames between start=5 and end=6"):
        trim(load_video(path, marked), 5, 6)


@pytest.mark.parametrize("fps", [5, 24, Fraction(30000, 1001), 60])
def test_another_frame_rate_keeps_the_speed(
    marked: Detector, marked_frames: Callable, video: Callable, fps: Fraction
) -> None:
    driving = load_video(video("all.mp4", marked_frames(*[(1, k) for k in range(50)])), marked)
    other = resample(driving, Fraction(fps))
    assert len(other.landmarks) / fps == pytest.approx(2, abs=0.5 / float(fps) + 1e-6)
    last = (len(other.landmarks) - 1) / fps
    at_end = np.interp(float(last), np.arange(50) / 25, driving.landmarks[:, 30, 0])
    assert other.landmarks[-1, 30, 0] == pytest.approx(at_end, abs=1e-4)


def test_what_cannot_drive_is_one_sentence(
    tmp_path: Path, painting: Image.Image, dlib: Detector, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    animated_webp(painting, tmp_path / "a.webp")
    try:
        assert len(load_video(tmp_path / "a.webp", dlib).landmarks) >= 1
    except HeadmimeError as error:
        assert "a.webp" in str(error)
        assert "\n" not in str(error)


def test_the_whole_picture_is_kept_upright(
    painting: Image.Image, dlib: Detector, tmp_path: Path
) -> None:
    """What output=full shows is the picture as it is meant, with the crop in the same pixels."""
    exif_rotated(painting, tmp_path / "a.jpg")
    sources = load_sources([tmp_path / "a.jpg"], 1, SIZE, dlib)
    scene = sources.scene
    assert np.array_equal(scene.image, read_image(tmp_path / "a.jpg"))
    assert abs(scene.crop.cut(scene.image, SIZE).astype(int) - sources.frames[0]).mean() < 1
