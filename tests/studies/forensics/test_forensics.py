"""Detectors and their cross-fitting, on frames of which one knows what can be found."""

from collections.abc import Sequence
from itertools import chain

import cv2
import numpy as np
import pytest
import torch

from headmime.errors import HeadmimeError
from headmime.evaluation.baselines import copy_nearest
from headmime.studies.forensics.detectors import LineupScores, convolutional, discriminator, probe
from headmime.studies.forensics.lineup import Lineup, lineups, through_h264, treat_all
from headmime.studies.forensics.run import cross_fit, folds_of

SIZE, FRAMES = 16, 12
PEOPLE = [f"person-{number}" for number in range(6)]


def lineup(person: str, blurred: bool) -> Lineup:
    """Noise of a person's colour; the made frames are smoother, or of the same kind."""
    random = np.random.default_rng(int(person[-1]))
    colour = random.uniform(115, 140, 3)
    frames = np.clip(random.normal(colour, 25, (2 * FRAMES, SIZE, SIZE, 3)), 0, 255)
    real, made = frames.astype(np.uint8).reshape(2, FRAMES, SIZE, SIZE, 3)
    if blurred:
        made = np.stack([cv2.GaussianBlur(frame, (0, 0), 1) for frame in made])
    points = random.uniform(0.3, 0.7, (FRAMES, 68, 2)).astype(np.float32)
    return Lineup(person, real, made, points, points, real[:2], points[:2])


def everybody(blurred: bool) -> list[Lineup]:
    return [lineup(person, blurred) for person in PEOPLE]


class Moments:
    """Features: mean of a picture, and mean deviation of its colours."""

    name = "moments"
    origin = {"files": {}, "stand_in": True}

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        return np.stack([frames.mean((1, 2, 3)), frames.std((1, 2)).mean(-1)], -1)


def test_everybody_is_in_one_group():
    groups = folds_of([*PEOPLE, *PEOPLE], 4, seed=1)
    assert sorted(chain.from_iterable(groups)) == PEOPLE
    assert {len(group) for group in groups} == {1, 2}
    assert groups != folds_of(PEOPLE, 4, seed=2)
    with pytest.raises(HeadmimeError, match="forensics.folds=7"):
        folds_of(PEOPLE, 7, seed=1)


def test_nobody_is_judged_by_a_detector_that_saw_them():
    def detect(learned: Sequence[Lineup], others: Sequence[Lineup]) -> list[LineupScores]:
        names = [{one.person for one in part} for part in (learned, others)]
        assert not names[0] & names[1] and names[0] | names[1] == set(PEOPLE)
        # Every group has a scale of its own, which must not matter.
        scale = 1000 * PEOPLE.index(others[0].person) + 1
        return [LineupScores(np.zeros(FRAMES), np.full(FRAMES, float(scale))) for _ in others]

    found = cross_fit(everybody(True), detect, folds_of(PEOPLE, 3, 0))
    assert found.folds == [1, 1, 1]
    assert (found.auc.value, found.auc.identities) == (1, 6)


def test_a_linear_probe_finds_what_is_linear_in_its_features_and_nothing_else():
    groups = folds_of(PEOPLE, 3, 0)
    assert cross_fit(everybody(True), probe(Moments()), groups).auc.value > 0.99
    assert 0.2 < cross_fit(everybody(False), probe(Moments()), groups).auc.value < 0.8


def test_a_small_network_learns_to_see_blur_in_strangers():
    groups, device = folds_of(PEOPLE, 2, 0), torch.device("cpu")
    state = torch.random.get_rng_state()
    assert cross_fit(everybody(True), convolutional(50, 0, device), groups).auc.value > 0.95
    assert torch.equal(torch.random.get_rng_state(), state)


def test_equal_frames_are_even_odds_for_the_discriminator(nets):
    same = [treat_all([one], lambda _, one=one: one.real)[0] for one in everybody(True)]
    assert cross_fit(same, discriminator(nets), folds_of(PEOPLE, 2, 0)).auc.value == 0.5


def test_h264_keeps_frames_apart_and_loses_detail():
    random = np.random.default_rng(0)
    frames = random.integers(256, size=(5, 32, 32, 3), dtype=np.uint8)
    shown = through_h264(frames, 30)
    assert shown.shape == frames.shape and shown.dtype == np.uint8
    distance = abs(shown[:, None].astype(float) - frames[None]).mean((2, 3, 4))
    assert (distance.argmin(1) == np.arange(5)).all() and distance.diagonal().min() > 1


def test_lineups_are_of_the_contests_trials(context):
    found = lineups(context, copy_nearest, T=2)
    assert len({one.person for one in found}) == 6
    first = found[0]
    assert first.real.shape == first.fake.shape == (12, 32, 32, 3)
    assert len(first.sources) == 2 and (first.target == first.landmarks).all()
    assert all((first.sources == frame).all((1, 2, 3)).any() for frame in first.fake)
