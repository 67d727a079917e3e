"""The worst 5 % are the worst 5 %."""

from pathlib import Path

import numpy as np
import pytest

from headmime.errors import HeadmimeError
from headmime.evaluation.plots.scene import FigureContext
from headmime.evaluation.plots.worst import FrameScore, draw_worst, worst_scores
from headmime.evaluation.trials import Trial


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The result of two trials of 20 frames each."""
    values = np.random.default_rng(0).permutation(40).astype(np.float32)
    arrays = {"trials": np.array([["one", "a"], ["two", "b"]])}
    for k, part in enumerate(np.split(values, 2)):
        arrays |= {
            f"{k}/ssim": part / 40,
            f"{k}/lpips": part / 40,
            f"{k}/akd": np.where(part > 35, np.nan, part),
            f"{k}/nearer": np.array([0.5]),
            f"{k}/found": part < 39,
        }
    np.savez(tmp_path / "row.npz", **arrays)
    return tmp_path / "row.json"


def test_low_is_bad_where_more_is_better_and_the_other_way_round(file: Path) -> None:
    scores, of = worst_scores(file, "ssim")
    assert of == 40 and [score.value for score in scores] == [0.0, pytest.approx(1 / 40)]
    scores, _ = worst_scores(file, "lpips")
    assert [score.value for score in scores] == [pytest.approx(39 / 40), pytest.approx(38 / 40)]


def test_a_score_names_its_frame(file: Path) -> None:
    with np.load(file.with_suffix(".npz")) as kept:
        for score in worst_scores(file, "ssim")[0]:
            k = {"one": 0, "two": 1}[score.trial]
            assert kept[f"{k}/ssim"][score.frame] == pytest.approx(score.value)


def test_frames_without_a_value_are_not_ranked(file: Path) -> None:
    scores, of = worst_scores(file, "akd")
    assert of == 36 and [score.value for score in scores] == [35, 34]


@pytest.mark.parametrize(
    ("metric", "sentence"),
    [
        ("beauty", "is none of"),
        ("sharpness", "is none of"),
        ("nearer", "not measured frame by frame"),
        ("fid", "not measured frame by frame"),
    ],
)
def test_what_says_nothing_of_frames_is_refused(file: Path, metric: str, sentence: str) -> None:
    with pytest.raises(HeadmimeError, match=sentence):
        worst_scores(file, metric)


def test_a_score_says_whether_a_face_was_found(file: Path) -> None:
    assert [score.found for score in worst_scores(file, "lpips")[0]] == [False, True]


def test_the_page_shows_every_one_of_them(
    figure_context: FigureContext, trials: list[Trial]
) -> None:
    scores = [FrameScore(trial.name, frame, 0.1, True) for trial in trials for frame in (1, 0)]
    by_name = {trial.name: trial for trial in trials}
    page = draw_worst(figure_context, by_name, scores, ["why"] * 4, 2, "ssim", 32)
    half = draw_worst(figure_context, by_name, scores[:2], ["why"] * 2, 2, "ssim", 32)
    assert page.shape[1] == half.shape[1] and page.shape[0] > half.shape[0] + 32
    silent = draw_worst(figure_context, by_name, scores[:2], [""] * 2, 2, "ssim", 32)
    assert silent.shape == half.shape and (silent != half).any()
