"""What is no whole film is refused with a reason; the rest is thinned as asked."""

import random
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from headmime.data.preprocess.frame_sources import FrameSource, open_frames
from headmime.errors import HeadmimeError


def times(film: FrameSource) -> list[float]:
    return [frame.time for frame in film.frames()]


def reason(path: Path, longest: float = 100) -> str:
    with pytest.raises(HeadmimeError) as caught:
        times(open_frames(path, None, longest))
    return caught.value.reason


@pytest.mark.parametrize(
    ("fps", "wanted"), [(None, range(12)), (50, range(12)), (12.5, range(0, 12, 2)), (1, [0])]
)
def test_frames_are_thinned(tmp_path: Path, films, fps: float | None, wanted):
    film = open_frames(films.write(tmp_path / "a.mp4", films.one_person(12)), fps, 100)
    assert times(film) == pytest.approx([t / 25 for t in wanted])
    assert (film.fps, film.continuous) == (25, True)
    assert next(film.frames()).pixels().shape == (96, 96, 3)


def test_a_folder_of_images_is_one_a_second(tmp_path: Path, films):
    for n, frame in enumerate(films.one_person(5)):
        Image.fromarray(frame).save(tmp_path / f"{n:03d}.jpg")
    film = open_frames(tmp_path, None, 100)
    assert (times(film), film.continuous) == ([0, 1, 2, 3, 4], False)
    assert times(open_frames(tmp_path, 0.5, 100)) == [0, 2, 4]
    shown = [frame.pixels()[40, 40, 0] for frame in film.frames()]
    assert shown == [255] * 5
    (tmp_path / "002.jpg").write_bytes(b"broken")
    with pytest.raises(HeadmimeError, match=r"an image that cannot be read, 002\.jpg"):
        [frame.pixels() for frame in film.frames()]


def test_too_long(tmp_path: Path, films):
    path = films.write(tmp_path / "a.mp4", films.one_person(60))
    assert reason(path, longest=2) == "is 2 s long, more than max_seconds=2"


def test_too_long_although_it_does_not_say_so(tmp_path: Path, films):
    """A raw stream has no duration: it is read as far as max_seconds."""
    path = tmp_path / "a.h264"
    whole = films.write(tmp_path / "a.mp4", films.one_person(60))
    with av.open(str(whole)) as given, av.open(str(path), "w", format="h264") as taken:
        stream = taken.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(given.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                taken.mux(packet)
    assert reason(path, longest=1) == "is longer than max_seconds=1"


def test_not_a_film(tmp_path: Path, films):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("this is no film " * 100)
    assert reason(tmp_path / "empty.mp4") == "is empty"
    assert reason(tmp_path / "text.mp4").startswith("cannot be read as a video (")
    assert reason(tmp_path / "gone.mp4") == "cannot be opened (No such file or directory)"


def test_truncated_and_flipped_files_are_refused_or_whole(tmp_path: Path, films):
    """Noise makes every byte count. What is not refused has all of its frames."""
    noise = np.random.default_rng(0).integers(0, 255, (25, 96, 96, 3), dtype=np.uint8)
    whole = films.write(tmp_path / "a.mp4", list(noise)).read_bytes()
    chance, refused = random.Random(0), 0
    for number in range(40):
        damaged = bytearray(whole)
        if number % 2:
            del damaged[chance.randrange(len(whole)) :]
        else:
            for _ in range(20):
                damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        (tmp_path / "b.mp4").write_bytes(damaged)
        try:
            assert len(times(open_frames(tmp_path / "b.mp4", None, 100))) == 25
        except HeadmimeError as error:
            refused += 1
            assert error.reason
    assert refused >= 35


def test_a_film_that_ends_early(tmp_path: Path, films):
    """Cut at a packet's border, where no decoder complains."""
    whole = films.write(tmp_path / "a.mkv", films.one_person(50))
    fast = tmp_path / "fast.mp4"
    with (
        av.open(str(whole)) as given,
        av.open(str(fast), "w", options={"movflags": "faststart"}) as taken,
    ):
        stream = taken.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(given.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                taken.mux(packet)
    with av.open(str(fast)) as film:
        ends = [packet.pos for packet in film.demux(film.streams.video[0]) if packet.pos]
    fast.write_bytes(fast.read_bytes()[: ends[25]])
    assert reason(fast) == "ends after 1.0 of the 2.0 s that it announces"
