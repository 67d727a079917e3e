import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headmime.animate import sources
from headmime.animate.sources import find_files, load_sources, parse_count
from headmime.errors import HeadmimeError
from headmime.landmarks.crop import crop_box
from headmime.landmarks.faces import Detector

ODD = ["a b.jpg", "x,y.jpg", "[z](1){2}.jpg", "k=v.jpg", "é漢'\"$.jpg", "*?.jpg"]


@pytest.fixture
def photos(tmp_path: Path, mona_lisa: Path) -> Path:
    """A folder of three pictures of her, at different sizes, and a text that is no picture."""
    folder = tmp_path / "photos, [of] her=mine"
    folder.mkdir()
    with Image.open(mona_lisa) as picture:
        for k, side in enumerate((512, 300, 400)):
            picture.resize((side, side)).save(folder / f"{k}.png")
    (folder / "notes.txt").write_text("not a picture")
    (folder / ".hidden.png").write_bytes(b"")
    return folder


# Which files


@pytest.mark.parametrize("name", ODD)
def test_a_name_that_exists_is_taken_literally(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    (tmp_path / "z.jpg").touch()
    assert find_files([f"{tmp_path}/{name}"]) == [tmp_path / name]


def test_folders_and_globs(photos: Path) -> None:
    everything = [photos / f"{k}.png" for k in range(3)]
    assert find_files([photos]) == everything
    assert find_files([f"{photos}".replace("[of]", "[[]of]") + "/[02].png"]) == everything[::2]
    assert find_files([photos / "1.png", photos, photos / "1.png"]) == [
        everything[1],
        everything[0],
        everything[2],
    ]


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(HeadmimeError, match=r"nobody\.jpg: there is no such file"):
        find_files([tmp_path / "nobody.jpg"])
    with pytest.raises(HeadmimeError, match=r"\*\.jpg: there is no such file"):
        find_files([tmp_path / "*.jpg"])
    with pytest.raises(HeadmimeError, match="a folder without images or videos"):
        find_files([tmp_path])
    with pytest.raises(HeadmimeError, match="source= is missing"):
        find_files([])


def test_count() -> None:
    assert [parse_count(T) for T in ("1", "8", "32", "100", "all")] == [1, 8, 32, 100, 32]
    for wrong in ("0", "-1", "1.5", "", "many"):
        with pytest.raises(HeadmimeError, match="T="):
            parse_count(wrong)


# The three cases of the method


def test_one_portrait(mona_lisa: Path, mona_landmarks: np.ndarray, dlib: Detector) -> None:
    found = load_sources([mona_lisa], 32, 64, dlib)
    assert found.frames.shape == (1, 64, 64, 3)
    assert found.frames.dtype == np.uint8
    assert np.array_equal(found.landmarks, mona_landmarks[None])
    assert (found.detector, found.names) == ("dlib", ["mona_lisa.jpg"])


def test_photos_only(photos: Path, mona_landmarks: np.ndarray, dlib: Detector) -> None:
    """Each picture has its own crop: one face at three sizes is framed alike."""
    found = load_sources(find_files([photos]), 32, 32, dlib)
    assert found.names == ["0.png", "1.png", "2.png"]
    assert abs(found.landmarks - mona_landmarks).max() < 0.03
    assert abs(found.frames[1:].astype(int) - found.frames[0]).mean() < 6


def test_photos_and_video(photos: Path, moving: Path, dlib: Detector) -> None:
    """Pictures first, then moments of the video, which share one crop."""
    found = load_sources([moving, photos / "0.png"], 5, 32, dlib)
    assert found.frames.shape == (5, 32, 32, 3)
    assert found.names[0] == "0.png"
    assert all(name.startswith("moving.mp4 at 0.") for name in found.names[1:])
    assert len(set(found.names)) == 5
    assert found.names == load_sources([moving, photos / "0.png"], 5, 32, dlib).names


def test_frames_and_landmarks_of_a_video_belong_together(
    moving: Path, dlib: Detector, mona_landmarks: np.ndarray
) -> None:
    """Detected again on the cut frames, the points lie where the sources say."""
    found = load_sources([moving], 4, 256, dlib)
    for frame, landmarks in zip(found.frames, found.landmarks, strict=True):
        (faces,) = dlib.detect([frame])
        assert abs(faces[0].pixels / 256 - landmarks).mean() < 0.02


def test_one_frame_of_a_video_is_the_neutral_one(moving: Path, dlib: Detector) -> None:
    assert len(load_sources([moving], 1, 32, dlib).frames) == 1


def test_too_many_pictures_are_thinned_to_the_most_different(
    photos: Path, mona_lisa: Path, dlib: Detector
) -> None:
    with Image.open(mona_lisa) as picture:
        picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(photos / "9.png")
    found = load_sources(find_files([photos]), 2, 32, dlib)
    assert "9.png" in found.names


# What goes wrong


def refused(files: list[Path], detector: Detector) -> str:
    with pytest.raises(HeadmimeError) as caught:
        load_sources(files, 32, 32, detector)
    return str(caught.value)


def test_without_a_face(tmp_path: Path, dlib: Detector) -> None:
    Image.new("RGB", (80, 80), "green").save(tmp_path / "lawn.png")
    assert "lawn.png: no face was found" in refused([tmp_path / "lawn.png"], dlib)


@pytest.mark.parametrize("name", ["torn.jpg", "torn.mp4", "torn", "empty.png"])
def test_unreadable_files_are_named(
    tmp_path: Path, name: str, mona_lisa: Path, dlib: Detector
) -> None:
    content = b"" if name == "empty.png" else mona_lisa.read_bytes()[:900]
    (tmp_path / name).write_bytes(content)
    assert name in refused([tmp_path / name], dlib)


def test_a_batch_goes_on_past_bad_ones_and_lists_them(
    photos: Path, mona_lisa: Path, dlib: Detector, caplog: pytest.LogCaptureFixture
) -> None:
    (photos / "0.png").write_bytes(b"broken")
    Image.new("RGB", (80, 80), "green").save(photos / "1.png")
    with caplog.at_level(logging.INFO):
        found = load_sources(find_files([photos]), 32, 32, dlib)
    assert found.names == ["2.png"]
    left_out = [line for line in caplog.messages if line.startswith("Left out")]
    assert len(left_out) == 2
    assert "0.png" in left_out[0]
    assert "1.png: no face" in left_out[1]
    assert "1 frame(s) of the person: 2.png" in caplog.messages[-1]


def test_when_none_is_left_all_are_named(photos: Path, dlib: Detector) -> None:
    for k in range(3):
        (photos / f"{k}.png").write_bytes(b"broken")
    message = refused(find_files([photos]), dlib)
    assert message.startswith("None of the 3 sources can be used")
    assert all(f"{k}.png" in message for k in range(3))


def test_of_two_faces_the_largest_is_taken(
    tmp_path: Path, mona_lisa: Path, dlib: Detector, caplog: pytest.LogCaptureFixture
) -> None:
    with Image.open(mona_lisa) as picture:
        both = Image.new("RGB", (812, 512), "gray")
        both.paste(picture.resize((300, 300)), (0, 100))
        both.paste(picture, (300, 0))
    both.save(tmp_path / "both.png")
    found = load_sources([tmp_path / "both.png"], 1, 32, dlib)
    assert "both.png: 2 faces; the largest is taken." in caplog.messages
    alone = load_sources([mona_lisa], 1, 32, dlib)
    assert abs(found.landmarks - alone.landmarks).max() < 0.03


def test_two_faces_in_a_video_are_mentioned_once(
    video: Callable, marked: Detector, marked_frames: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    path = video("both.mp4", marked_frames((2, 0), (2, 1), (1, 2), (0, 0)))
    load_sources([path], 2, 16, marked)
    assert "both.mp4: several faces in 2 of 4 frames; the largest is taken." in caplog.messages


def test_a_video_without_a_face(video: Callable, marked: Detector, marked_frames: Callable) -> None:
    path = video("empty.mp4", marked_frames((0, 0), (0, 0)))
    assert "empty.mp4: no face was found in 2 frame(s)" in refused([path], marked)


def test_a_video_of_one_frame(video: Callable, marked: Detector, marked_frames: Callable) -> None:
    found = load_sources([video("still.mp4", marked_frames((1, 0)))], 32, 16, marked)
    assert len(found.frames) == 1


def test_a_long_video_is_looked_at_here_and_there(
    video: Callable,
    marked: Detector,
    marked_frames: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sources, "MAX_DETECTIONS", 10)
    path = video("long.mp4", marked_frames(*[(1, k % 20) for k in range(95)]))
    found = load_sources([path], 4, 16, marked)
    assert len(found.frames) == 4
    assert marked.detected == 10


def test_the_frames_of_a_video_share_one_crop(
    video: Callable, marked: Detector, marked_frames: Callable
) -> None:
    """A head that moves in the picture moves in the crop by as much."""
    path = video("moving.mp4", marked_frames((1, 0), (1, 8)))
    found = load_sources([path], 2, 16, marked)
    side = crop_box(marked.face + np.array([[[0, 0]], [[8, 0]]])).side
    moved = found.landmarks[1] - found.landmarks[0]
    assert np.allclose(moved, (8 / side, 0), atol=1e-5)


def test_an_animated_gif_is_a_picture(tmp_path: Path, mona_lisa: Path, dlib: Detector) -> None:
    with Image.open(mona_lisa) as picture:
        picture.save(
            tmp_path / "her.gif", save_all=True, append_images=[Image.new("RGB", picture.size)]
        )
    shutil.copy(tmp_path / "her.gif", tmp_path / "no suffix")
    assert len(load_sources([tmp_path / "her.gif"], 1, 32, dlib).frames) == 1
    assert len(load_sources([tmp_path / "no suffix"], 1, 32, dlib).frames) == 1
