"""What sets a frame apart from the source frames is what was made so."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from headmime.animate.poses import LIDS
from headmime.evaluation.metrics.motion import HEAD, RIGID
from headmime.evaluation.plots.scene import FigureContext
from headmime.evaluation.plots.worst import Circumstances, FrameScore, as_csv, circumstances
from headmime.evaluation.trials import Trial

ALIKE = Circumstances(
    found=True,
    turn=3.0,
    tilt=2.0,
    size=1.0,
    mouth=0.05,
    least_source_mouth=0.02,
    most_source_mouth=0.08,
    lids=0.06,
    least_source_lids=0.05,
    around=4.0,
)


def face(yaw: float = 0, tilt: float = 0, mouth: float = 0, lids: float = 0.03, size: float = 1):
    """Landmarks [68, 2]: the average head, turned and tilted by degrees, openings in the crop."""
    y, r = np.deg2rad([-yaw, tilt])
    Ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    points = np.full((68, 2), 0.5)
    points[RIGID] = 0.5 + ((HEAD - HEAD.mean(0)) @ Ry.T)[:, :2] / 250
    for eye, (left, right) in ((36, (36, 39)), (42, (42, 45))):
        for place, share in ((1, 1 / 3), (2, 2 / 3), (5, 1 / 3), (4, 2 / 3)):
            points[eye + place] = points[left] + share * (points[right] - points[left])
    points[LIDS[0], 1] -= lids / 2
    points[LIDS[1], 1] += lids / 2
    points[48], points[54] = (0.42, 0.7), (0.58, 0.7)
    points[60:68] = np.stack([np.linspace(0.45, 0.55, 8), np.full(8, 0.7)], -1)
    points[[61, 62, 63], 0] = points[[67, 66, 65], 0]
    points[65:68, 1] += mouth
    cos, sin = np.cos(r), np.sin(r)
    return (0.5 + size * (points - 0.5) @ np.array([[cos, sin], [-sin, cos]])).astype(np.float32)


@pytest.fixture
def measured(figure_context: FigureContext, trials: list[Trial], monkeypatch: pytest.MonkeyPatch):
    """The circumstances of a frame with these landmarks, beside sources with those."""

    def measure(asked: np.ndarray, sources: list[np.ndarray]) -> Circumstances:
        trial = replace(trials[0], gallery=trials[0].gallery[: len(sources)])
        places = dict(zip(trial.gallery, sources, strict=True))
        landmarks = lambda store, refs: np.stack([places.get(ref, asked) for ref in refs])  # noqa: E731
        monkeypatch.setattr("headmime.evaluation.plots.worst.load_landmarks", landmarks)
        monkeypatch.setattr("headmime.evaluation.trials.load_landmarks", landmarks)
        return circumstances(figure_context, trial, FrameScore(trial.name, 0, 0.5, True), 8)

    return measure


def test_the_nearest_source_counts(measured):
    one = measured(face(yaw=30), [face(), face(yaw=12), face(tilt=8)])
    assert one.turn == pytest.approx(18, abs=0.1) and one.tilt == pytest.approx(0, abs=0.1)
    assert one.reason == "head 18 degrees from every source frame"
    one = measured(face(tilt=30), [face(), face(yaw=12), face(tilt=8)])
    assert one.turn == pytest.approx(0, abs=0.1) and one.tilt == pytest.approx(22, abs=0.1)
    assert one.reason == "head tilted 22 degrees from every source frame"


def test_mouth_lids_and_size(measured):
    one = measured(face(mouth=0.1, lids=0.005), [face(mouth=0.01), face(mouth=0.02)])
    assert one.mouth > one.most_source_mouth + 0.05 > one.least_source_mouth
    assert one.reason.startswith("mouth open 0.") and "eyes closed" in one.reason
    one = measured(face(size=1.5), [face(), face(size=1.1)])
    assert one.size == pytest.approx(1.5 / 1.1, rel=1e-3)
    assert one.reason.startswith("face 1.36 times as large as in any source frame")
    assert measured(face(), [face()]).turn == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"found": False}, "no face was found in the output"),
        ({"turn": 31.2}, "head 31 degrees from every source frame"),
        ({"tilt": 20.0}, "head tilted 20 degrees from every source frame"),
        ({"size": 0.5}, "face 0.50 times the least size in a source frame"),
        ({"mouth": 0.14}, "mouth open 0.14, at most 0.08 in the source frames"),
        ({"mouth": 0.0, "least_source_mouth": 0.07}, "at least 0.07 in the source frames"),
        ({"lids": 0.02}, "eyes closed, open in every source frame"),
        ({"around": 40.4}, "the background differs by 40 of 255 from every source frame"),
        ({}, "nothing measured sets it apart (head 3 degrees)"),
        ({"around": float("nan")}, "nothing measured sets it apart (head 3 degrees)"),
    ],
)
def test_each_thing_is_one_clause(change: dict, clause: str):
    reason = replace(ALIKE, **change).reason
    assert clause in reason and ";" not in reason


def test_several_things_are_all_said():
    assert replace(ALIKE, found=False, turn=16.0).reason == (
        "no face was found in the output; head 16 degrees from every source frame"
    )


def test_what_is_around_is_compared_with_the_most_similar_source(
    figure_context: FigureContext, trials: list[Trial]
):
    """Colours of frames differ by clip (60 of green) and by time (25 of blue for each frame)."""
    (trial, _) = trials
    one = circumstances(figure_context, trial, FrameScore(trial.name, 1, 0.5, True), 4)
    assert one.around == pytest.approx((60 + 2 * 25) / 3, abs=3)


def test_the_table_has_a_row_for_each(figure_context: FigureContext, trials: list[Trial]):
    by_name = {trial.name: trial for trial in trials}
    scores = [FrameScore(trials[1].name, 1, 0.75, False), FrameScore(trials[0].name, 0, 0.5, True)]
    text = as_csv(figure_context, by_name, scores, [replace(ALIKE, found=False), ALIKE], "lpips")
    first, second = csv.DictReader(io.StringIO(text))
    assert (first["place"], first["person"], first["clip"]) == ("1", "person 1", "1")
    assert (first["frame"], first["seconds"], first["lpips"]) == ("5", "0.40", "0.7500")
    assert (first["found"], first["turn"]) == ("False", "3.000")
    assert first["reason"] == "no face was found in the output"
    assert second["person"] == "person 0" and second["frame"] == "2"
