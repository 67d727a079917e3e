"""Colours of video: what is read and written, against values computed by hand."""

from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace

from headmime.data.video_colours import BT2020_PRIMARIES, HLG, PQ, from_srgb, tag_bt709, to_srgb
from headmime.data.video_reader import read_video

COLOURS = np.array(
    [(200, 60, 60), (60, 200, 60), (60, 60, 200), (255, 255, 255), (0, 0, 0), (230, 180, 150)]
)


def stripes() -> np.ndarray:
    return np.repeat(np.repeat(COLOURS[None], 64, 0), 32, 1).astype(np.uint8)


def test_written_and_read_again_within_two_levels(tmp_path: Path) -> None:
    with av.open(tmp_path / "a.mp4", "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "18"})
        stream.pix_fmt, (stream.height, stream.width) = "yuv420p", stripes().shape[:2]
        tag_bt709(stream)
        container.mux(stream.encode(from_srgb(stripes())))
        container.mux(stream.encode(None))
    frame, _ = next(read_video(tmp_path / "a.mp4"))
    assert abs(frame[32, 16::32].astype(int) - COLOURS).max() <= 2
    with av.open(tmp_path / "a.mp4") as container:
        tags = next(container.decode(video=0))
    assert (tags.colorspace, tags.color_primaries, tags.color_trc, tags.color_range) == (1, 1, 1, 1)


def deep(signal: float, transfer: int) -> np.ndarray:
    """A grey BT.2020 frame with this signal in 0..1, read."""
    levels = np.full((16, 16, 3), round(signal * 65535), np.uint16)
    frame = av.VideoFrame.from_ndarray(levels, format="rgb48le")
    frame.color_primaries, frame.color_trc = BT2020_PRIMARIES, transfer
    frame.colorspace = Colorspace.BT2020
    return to_srgb(frame, 16, 16)[8, 8].astype(int)


@pytest.mark.parametrize(
    "signal, transfer, low, high",
    [
        (0.75, HLG, 225, 250),  # reference white of 203 cd/m2 (BT.2408) is just below sRGB's white
        (0.581, PQ, 225, 250),  # the same
        (0.38, HLG, 99, 103),  # 26 cd/m2 on a display of 1,000 are .129 of 203: sRGB's 101
        (1.0, HLG, 252, 255),
        (0.0, PQ, 0, 0),
    ],
)
def test_bright_video_is_tone_mapped(signal: float, transfer: int, low: int, high: int) -> None:
    grey = deep(signal, transfer)
    assert low <= grey.min() and grey.max() <= high and np.ptp(grey) <= 1


def test_brighter_stays_brighter() -> None:
    for transfer in (HLG, PQ):
        levels = [deep(signal, transfer)[0] for signal in np.linspace(0, 1, 20)]
        assert (np.diff(levels) >= 0).all()
