"""Source, target, landmarks and outputs are those of the trial, in grids and in videos."""

from fractions import Fraction
from itertools import pairwise

import numpy as np

from headmime.data.protocol import Case
from headmime.data.store import Store
from headmime.evaluation.plots.scene import (
    SINGLE_FRAMES,
    FigureContext,
    clip_of,
    draw_grid,
    sample_trials,
    side_by_side,
)
from headmime.evaluation.trials import Trial, cross_trials, self_trials
from headmime.landmarks.drawing import draw_landmarks

from .conftest import SIZE, is_colour


def test_columns_show_what_their_heads_say(
    figure_context: FigureContext, trials: list[Trial]
) -> None:
    assert figure_context.heads(trials[1]) == ["Source", "Target", "Landmarks", "Copy", "Nearest"]
    source, target, landmarks, copy, nearest = figure_context.columns(trials[1], T=3, frames=[1, 0])
    assert all(is_colour(picture, 1, 0, 0) for picture in (*source, *copy))
    assert is_colour(target[0], 1, 1, 5) and is_colour(target[1], 1, 1, 2)
    assert (landmarks[0] == draw_landmarks(figure_context.store.landmarks_at(3, 5), SIZE)).all()
    assert all(any(is_colour(one, 1, 0, t) for t in range(3)) for one in nearest)


def test_without_truth_the_driver_is_shown(figure_context: FigureContext, store: Store) -> None:
    cases = [
        Case(video, ((2 * video, 0), (2 * video, 1)), ((2 * video + 1, 2),)) for video in range(2)
    ]
    trial = cross_trials(store, cases, drivers=1)[0]
    assert figure_context.heads(trial)[1] == "Driver"
    columns = figure_context.columns(trial, T=1, frames=[0])
    assert is_colour(columns[0][0], 0, 0, 0) and is_colour(columns[1][0], 1, 1, 2)


def test_a_grid_has_a_line_for_every_person_and_T(
    figure_context: FigureContext, trials: list[Trial]
) -> None:
    told: list[tuple[int, int | None]] = []
    page = draw_grid(
        figure_context, trials, [1, 2, 4], 20, seed=0, on_line=lambda *at: told.append(at)
    )
    assert told[-1] == (6, 6)
    one = draw_grid(figure_context, trials[:1], [1], 20, seed=0)
    assert page.shape[1] == one.shape[1] and len(page) > 5 * 20 + len(one)
    assert (page == draw_grid(figure_context, trials, [1, 2, 4], 20, seed=0)).all()


def test_people_are_drawn_by_the_seed(trials: list[Trial]) -> None:
    many = [trials[0]] * 50 + [trials[1]] * 50
    assert sample_trials(many, 10, seed=1) == sample_trials(many, 10, seed=1)
    assert sample_trials(trials, 9, seed=1) == trials
    assert len(sample_trials(many, 10, seed=1)) == 10


def test_a_video_takes_the_whole_clip_at_its_speed(store: Store, trials: list[Trial]) -> None:
    trial, fps = clip_of(store, trials[0], "self")
    assert trial.driving == trial.truth == tuple((1, t) for t in range(8))
    assert fps == Fraction(25, 2)


def test_no_source_frame_is_in_a_video(store: Store) -> None:
    (trial,) = self_trials(store, [Case(0, ((0, 0), (1, 1)), ((1, 2), (1, 5)))])
    assert clip_of(store, trial, "self") == (trial, SINGLE_FRAMES)


def test_true_frames_stay_beside_their_driving_frames(store: Store, trials: list[Trial]) -> None:
    assert clip_of(store, trials[0], "truth") == (trials[0], SINGLE_FRAMES)


def test_a_video_has_a_frame_for_every_driving_frame(
    figure_context: FigureContext, trials: list[Trial]
) -> None:
    frames = list(
        side_by_side(figure_context, clip_of(figure_context.store, trials[0], "self")[0], 2, 24)
    )
    assert len(frames) == 8 and len({frame.shape for frame in frames}) == 1
    assert all(not np.array_equal(a, b) for a, b in pairwise(frames))
