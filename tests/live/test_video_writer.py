"""Frames that come unevenly become a film of even rate."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from headmime.data.media_reader import read_video, read_video_info
from headmime.errors import HeadmimeError
from headmime.live.video_writer import LiveVideoWriter
from headmime.provenance.statement import Consent, ProvenanceOptions, ProvenanceStatement

UNMARKED = ProvenanceOptions(label=False, watermark=False, credentials=False)


def grey(value: int) -> np.ndarray:
    return np.full((32, 32, 3), value, np.uint8)


def film(path: Path, marks: ProvenanceOptions = UNMARKED) -> LiveVideoWriter:
    return LiveVideoWriter(path, Fraction(10), ProvenanceStatement(Consent.OWN), marks)


def test_dropped_frames_are_filled_by_the_one_before(tmp_path: Path) -> None:
    with film(tmp_path / "a.mp4") as writing:
        for value, taken in ((40, 7.0), (80, 7.1), (160, 7.42), (200, 7.49)):
            assert writing.add(grey(value), taken)
    shown = [round(frame.mean() / 40) for frame, _ in read_video(tmp_path / "a.mp4")]
    assert shown == [1, 2, 2, 2, 4, 5]


def test_all_marks_are_on_it(tmp_path: Path) -> None:
    with film(tmp_path / "a.mp4", ProvenanceOptions()) as writing:
        for k in range(12):
            writing.add(np.full((256, 256, 3), 60, np.uint8), k / 10)
    assert read_video_info(tmp_path / "a.mp4").frames == 12
    last = list(read_video(tmp_path / "a.mp4"))[-1][0]
    assert last[-20:, -60:].max() > 150  # the label's letters
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]


def test_nothing_stays_of_a_film_that_failed(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), film(tmp_path / "a.mp4") as writing:
        writing.add(grey(40), 0.0)
        raise ZeroDivisionError
    with pytest.raises(HeadmimeError, match="no frames"), film(tmp_path / "a.mp4"):
        pass
    assert not list(tmp_path.iterdir())
