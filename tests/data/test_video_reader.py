"""Videos become a stream of upright frames with their times."""

import os
import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from headmime.data.video_reader import count_frames, decode_video, read_video, read_video_info
from headmime.errors import HeadmimeError

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes a video of 64 x 32 pixels: a white top-left corner that gets darker with time."""

    def write(
        name: str = "video.mp4",
        *,
        frames: int = 6,
        rotation: float | None = None,
        ratio: Fraction | None = None,
        times: list[int] | None = None,
        codec: str = "libx264",
        pix_fmt: str = "yuv420p",
    ) -> Path:
        with av.open(tmp_path / name, "w") as container:
            stream = container.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 32, pix_fmt
            stream.codec_context.time_base = Fraction(1, 25)
            if rotation is not None:
                stream.set_display_rotation(rotation)
            if ratio is not None:
                stream.codec_context.sample_aspect_ratio = ratio
            for t in range(frames):
                image = np.zeros((32, 64, 3), np.uint8)
                image[:16, :16] = 255 - 20 * (t % 10)
                frame = av.VideoFrame.from_ndarray(image)
                frame.pts = times[t] if times else t
                frame.time_base = Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return tmp_path / name

    return write


def place_of_light(frame: np.ndarray) -> tuple[int, int]:
    """The centre of the light patch, row and column."""
    rows, columns = np.nonzero(frame[..., 1] > 100)
    return round(rows.mean() + 0.5), round(columns.mean() + 0.5)


def test_frames_and_times(make: Make):
    frames, times = zip(*read_video(make()), strict=True)
    assert len(frames) == 6
    assert all(frame.shape == (32, 64, 3) and frame.dtype == np.uint8 for frame in frames)
    assert times == pytest.approx(np.arange(6) / 25)
    levels = [int(frame[8, 8, 0]) for frame in frames]
    assert levels == pytest.approx([255 - 20 * t for t in range(6)], abs=6)
    assert place_of_light(frames[0]) == (8, 8)


@pytest.mark.parametrize(
    ("rotation", "shape", "place"),
    [
        (0, (32, 64), (8, 8)),
        (-90, (64, 32), (8, 24)),  # a telephone held upright: turned clockwise when shown
        (90, (64, 32), (56, 8)),
        (180, (32, 64), (24, 56)),
    ],
)
def test_the_camera_was_held_otherwise(make: Make, rotation: float, shape: tuple, place: tuple):
    file = make(rotation=rotation)
    frame, _ = next(read_video(file))
    assert frame.shape[:2] == shape and frame.flags.c_contiguous
    assert place_of_light(frame) == place
    info = read_video_info(file)
    assert (info.height, info.width) == shape


def test_pixels_that_are_not_square_are_made_so(make: Make):
    file = make(ratio=Fraction(3, 2))
    frame, _ = next(read_video(file))
    assert frame.shape == (32, 96, 3) and place_of_light(frame) == (8, 12)
    assert read_video_info(file).width == 96


def test_uneven_times_are_kept(make: Make):
    times = [0, 1, 5, 6, 20, 21]
    assert [t for _, t in read_video(make(times=times))] == pytest.approx(np.array(times) / 25)


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("x.mp4", "libx264", "yuv420p10le"),
        ("x.mkv", "ffv1", "yuv444p16le"),
        ("x.avi", "mjpeg", "yuvj420p"),
        ("x.gif", "gif", "rgb8"),
        ("x.webm", "libvpx-vp9", "yuv420p"),
    ],
)
def test_formats(make: Make, name: str, codec: str, pix_fmt: str):
    file = make(name, codec=codec, pix_fmt=pix_fmt)
    frames = list(read_video(file))
    assert len(frames) == 6 and place_of_light(frames[0][0]) == (8, 8)
    assert abs(read_video_info(file).frames - 6) <= 1


def test_info(make: Make):
    info = read_video_info(make(frames=10))
    assert (info.width, info.height, info.fps, info.frames) == (64, 32, 25, 10)
    assert info.duration == pytest.approx(0.4) and not info.has_audio


@pytest.mark.parametrize("name", ["a b, [c] = d.mp4", "frame%03d.mp4", "file:x.mp4", "é'\".mp4"])
def test_odd_names(make: Make, tmp_path: Path, name: str):
    os.rename(make(), tmp_path / name)
    assert len(list(read_video(tmp_path / name))) == 6


def test_a_video_of_one_frame(make: Make):
    file = make(frames=1)
    assert [time for _, time in read_video(file)] == [0]
    assert read_video_info(file).frames == 1


def test_it_streams(make: Make):
    """A thousand frames take no more memory than a few."""
    file = make(frames=1000)
    peaks = []
    for count in (10, 1000):
        tracemalloc.start()
        for _, _ in zip(range(count), read_video(file), strict=False):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]


@pytest.mark.parametrize("content", [b"", b"no video", bytes(range(256)) * 20])
def test_what_is_no_video_is_named(tmp_path: Path, content: bytes):
    (tmp_path / "x.mp4").write_bytes(content)
    for read in (lambda file: list(read_video(file)), read_video_info):
        with pytest.raises(HeadmimeError, match=r"x\.mp4 cannot be read as a video"):
            read(tmp_path / "x.mp4")


def test_missing_files_folders_and_half_files(make: Make, tmp_path: Path):
    with pytest.raises(HeadmimeError, match="No such file"):
        read_video_info(tmp_path / "nowhere.mp4")
    with pytest.raises(HeadmimeError, match="Is a directory"):
        next(read_video(tmp_path))
    whole = make().read_bytes()
    (tmp_path / "half.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(HeadmimeError, match=r"half\.mp4 (cannot be read as a|has no) video"):
        list(read_video(tmp_path / "half.mp4"))


def test_sound_alone_is_no_video(tmp_path: Path):
    with av.open(tmp_path / "sound.mp4", "w") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        samples.sample_rate = 16000
        container.mux(stream.encode(samples))
        container.mux(stream.encode(None))
    with pytest.raises(HeadmimeError, match="has no video in it"):
        list(read_video(tmp_path / "sound.mp4"))


def test_errors_of_the_reader_of_frames_stay_what_they_are(make: Make):
    """An OSError raised while a frame is used is not blamed on the video."""
    with pytest.raises(OSError, match="disk full"):
        for _ in read_video(make()):
            raise OSError("disk full")


def test_real_clips_have_the_frames_that_they_announce(shared_data: Path):
    files = sorted((shared_data / "clips").iterdir())[:40:8]
    assert len(files) == 5
    for file in files:
        info = read_video_info(file)
        frames = 0
        for frame, _ in read_video(file):
            frames += 1
            assert frame.shape == (info.height, info.width, 3)
        assert abs(frames - info.frames) <= 2


@pytest.mark.parametrize(
    "name, frames, jumps", [("concat_same.ts", 72, 2), ("jump1h.mkv", 24, 1), ("base.mp4", 24, 0)]
)
def test_jumps_of_the_clock_are_left_out(
    failing: Path, caplog: pytest.LogCaptureFixture, name: str, frames: int, jumps: int
):
    times = [frame.time for frame in decode_video(failing / name)]
    np.testing.assert_allclose(np.diff(times), np.full(frames - 1, 0.04), atol=0.002)
    assert caplog.text.count("its clock jumps") == jumps
    assert count_frames(failing / name) == frames


def test_a_pause_of_seconds_is_no_jump(make: Make):
    times = [time for _, time in read_video(make(times=[0, 1, 2, 102, 103, 104]))]
    np.testing.assert_allclose(times, [0, 0.04, 0.08, 4.08, 4.12, 4.16], atol=1e-6)


def test_frames_of_another_size_are_scaled_to_the_first_s(failing: Path):
    """256 pixels in the first half, 320 in the second, of the same picture."""
    frames = [frame.astype(int) for frame, _ in read_video(failing / "size_switch.ts")]
    assert {frame.shape for frame in frames} == {(256, 256, 3)}
    assert abs(frames[0] - frames[-1]).mean() < 6


def test_untagged_hd_is_bt709(failing: Path):
    frame, _ = next(read_video(failing / "untagged_bt709_hd.mp4"))
    assert abs(frame[0, 0].astype(int) - (200, 60, 60)).max() <= 2


def test_tags_need_not_be_unicode(failing: Path):
    """As in old files, whose titles are in Latin-1."""
    path = failing / "found" / "tag_not_utf8.webm"
    assert (read_video_info(path).width, len(list(read_video(path)))) == (64, 12)
