import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from headmime.animate.driving import (
    find_driving,
    load_template,
    load_video,
    resample_evenly,
    template_names,
)
from headmime.errors import HeadmimeError
from headmime.landmarks.faces import Detector


def template(path: Path, **changes: object) -> Path:
    landmarks = np.random.default_rng(0).random((5, 68, 2)).astype(np.float32)
    content = {"landmarks": landmarks, "fps": 25.0}
    np.savez(path, **{k: v for k, v in (content | changes).items() if v is not None})
    return path


def test_a_template(tmp_path: Path) -> None:
    driving = load_template(template(tmp_path / "t.npz"))
    assert driving.landmarks.shape == (5, 68, 2)
    assert driving.fps == Fraction(25)


BUNDLED = ("listen-and-smile", "talk", "turn")


def test_the_bundled_templates_are_those_that_the_pages_name() -> None:
    assert tuple(template_names()) == BUNDLED


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_template_loads(name: str) -> None:
    driving = load_template(find_driving(name))
    assert len(driving.landmarks) > 25
    assert 0.2 < driving.landmarks.mean() < 0.8


@pytest.mark.parametrize(
    "changes",
    [
        {"landmarks": None},
        {"fps": None},
        {"fps": 0.0},
        {"fps": np.nan},
        {"landmarks": np.full((5, 68, 2), 0.5)},
        {"landmarks": np.zeros((5, 67, 2))},
        {"landmarks": np.zeros((0, 68, 2))},
        {"landmarks": np.full((5, 68, 2), np.nan)},
        {"landmarks": np.array([{}], object)},
        {"landmarks": np.array(["x"])},
    ],
)
def test_a_broken_template_is_named(tmp_path: Path, changes: dict) -> None:
    path = template(tmp_path / "t.npz", **changes)
    with pytest.raises(HeadmimeError, match=r"t\.npz"):
        load_template(path)


def test_a_file_that_is_no_template(tmp_path: Path) -> None:
    (tmp_path / "t.npz").write_text("no")
    with pytest.raises(HeadmimeError, match=r"t\.npz is not a driving template"):
        load_template(tmp_path / "t.npz")


def test_where_a_driving_is(tmp_path: Path) -> None:
    path = template(tmp_path / "a, [b]=c.npz")
    assert find_driving(path) == path
    for name in BUNDLED:
        assert find_driving(name).name == f"{name}.npz"
    with pytest.raises(HeadmimeError, match="driving=nothing: there is no such file"):
        find_driving("nothing")


def test_a_video(moving: Path, dlib: Detector, mona_landmarks: np.ndarray) -> None:
    driving = load_video(moving, dlib)
    assert driving.landmarks.shape == (12, 68, 2)
    assert driving.fps == 25
    # 1.7 % nearer and as much to the left with every frame
    assert (np.diff(driving.landmarks[:, 30, 0]) < 0).all()
    widths = driving.landmarks[:, 16, 0] - driving.landmarks[:, 0, 0]
    assert 1.1 < widths[-1] / widths[0] < 1.3


def test_a_video_of_one_frame(video: Callable, marked: Detector, marked_frames: Callable) -> None:
    driving = load_video(video("still.mp4", marked_frames((1, 0))), marked)
    assert driving.landmarks.shape == (1, 68, 2)


def test_frames_without_a_face_are_bridged(
    video: Callable, marked: Detector, marked_frames: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    seen = [(1, k) for k in range(10)]
    again = [(1, 30)] * 20
    path = video("gap.mp4", marked_frames((0, 0), *seen, *[(0, 0)] * 10, *again, (0, 0)))
    driving = load_video(path, marked)
    x = driving.landmarks[:, 30, 0]
    assert len(x) == 42
    assert np.ptp(x) > 0.2
    assert (np.diff(x) > -0.01).all()
    assert any(line.startswith("gap.mp4: no face in") for line in caplog.messages)


def test_a_video_without_a_face(video: Callable, marked: Detector, marked_frames: Callable) -> None:
    with pytest.raises(HeadmimeError, match=r"empty\.mp4: no face was found in any of its 3 frame"):
        load_video(video("empty.mp4", marked_frames(*[(0, 0)] * 3)), marked)


def test_several_faces_are_mentioned(
    video: Callable, marked: Detector, marked_frames: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    load_video(video("both.mp4", marked_frames((2, 0), (2, 0))), marked)
    assert "both.mp4: 2 faces; the largest is followed." in caplog.messages


def test_an_unreadable_video_is_named(tmp_path: Path, marked: Detector) -> None:
    (tmp_path / "torn.mp4").write_bytes(b"torn")
    with pytest.raises(HeadmimeError, match=r"torn\.mp4"):
        load_video(tmp_path / "torn.mp4", marked)


def test_a_video_that_is_cut_short_is_mentioned(
    tmp_path: Path, marked: Detector, caplog: pytest.LogCaptureFixture
) -> None:
    """Its pictures are half of those that its beginning tells of."""
    whole, half = tmp_path / "whole.mkv", tmp_path / "half.mkv"
    with av.open(str(whole), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "bgr0"
        for _ in range(20):
            picture = np.full((64, 64, 3), 1, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    content = whole.read_bytes()
    half.write_bytes(content[: len(content) // 2])
    assert len(load_video(whole, marked).landmarks) == 20
    assert not caplog.messages
    driving = load_video(half, marked)
    assert 5 < len(driving.landmarks) < 15
    length = len(driving.landmarks) / 10
    told = f"half.mkv: frames end after {length} of 2.0 seconds; is the file complete?"
    assert told in caplog.messages
    caplog.clear()
    load_video(half, marked, end=0.5)
    assert not caplog.messages


def test_varying_frame_rates_keep_the_speed() -> None:
    """A head that moves evenly still does after frames came at uneven times."""
    times = np.array([0.0, 0.1, 0.15, 0.4, 0.8, 1.0])
    landmarks = np.broadcast_to(times[:, None, None], (6, 68, 2)).astype(np.float32)
    even = resample_evenly(landmarks, times, Fraction(5))
    assert np.allclose(even[:, 0, 0], [0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert even.dtype == np.float32


def test_even_frames_stay_as_they_are() -> None:
    landmarks = np.random.default_rng(0).random((30, 68, 2)).astype(np.float32)
    times = np.round(np.arange(30) * 1001 / 30000, 3)  # milliseconds, as in many files
    assert resample_evenly(landmarks, times, Fraction(30000, 1001)) is landmarks


def test_on_frame_is_told_of_every_frame(moving: Path, dlib: Detector) -> None:
    told = []
    load_video(moving, dlib, lambda done, total: told.append((done, total)))
    assert told == [(k, 12) for k in range(1, 13)]


@pytest.mark.slow
def test_a_long_video_needs_little_memory(tmp_path: Path, marked: Detector) -> None:
    """10,000 frames: the landmarks and what is made of them, not the frames (491 MB)."""
    path = tmp_path / "long.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264rgb", rate=25, options={"preset": "ultrafast"})
        stream.height = stream.width = 128
        stream.pix_fmt = "rgb24"
        picture = np.full((128, 128, 3), 1, np.uint8)
        for _ in range(10_000):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    tracemalloc.start()
    driving = load_video(path, marked)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(driving.landmarks) == 10_000
    assert peak < 150e6
