"""The errors of a landmark detector."""

import numpy as np
import pytest

from headmime.assets import ASSETS
from headmime.landmarks.points import eye_opening, face_size, mouth_opening
from headmime.sitters import detector


@pytest.fixture(scope="module")
def talk():
    with np.load(ASSETS / "motions" / "talk.npz", allow_pickle=False) as content:
        return content["landmarks"]


def clips(talk, strength=1.0, count=200):
    return [
        detector.add_detector_error(talk, strength, np.random.default_rng(seed)) - talk
        for seed in range(count)
    ]


def test_errors_are_small_and_some_clips_are_exact(talk):
    errors = np.stack(clips(talk))
    changed = np.abs(errors).max((1, 2, 3)) > 0
    assert 0.6 < changed.mean() < 0.8
    size = np.linalg.norm(errors[changed], axis=-1) / face_size(talk)[:, None]
    assert 0.01 < np.sqrt((size**2).mean()) < 0.06


def test_a_clip_keeps_its_error(talk):
    errors = np.stack([error for error in clips(talk) if error.any()])
    rest = errors - errors.mean(0)  # what all clips have in common is of the table's `expected`
    own = rest.mean(1, keepdims=True)
    assert (own**2).mean() > 0.2 * (rest**2).mean()
    assert ((rest - own) ** 2).mean() > 0.05 * (rest**2).mean()


def test_a_talking_mouth_still_talks(talk):
    kept = []
    for seed in range(40):
        found = detector.add_detector_error(talk, 1.0, np.random.default_rng(seed))
        kept.append(np.corrcoef(mouth_opening(found), mouth_opening(talk))[0, 1])
    assert min(kept) > 0.75
    assert np.median(kept) > 0.9


def test_lids_err_together(talk):
    """So that a shut eye is seen shut, where it is seen."""
    for seed in range(40):
        found = detector.add_detector_error(talk, 1.0, np.random.default_rng(seed))
        assert np.corrcoef(eye_opening(found), eye_opening(talk))[0, 1] > 0.98


def test_strength_scales_and_the_seed_decides(talk):
    one, two = (
        detector.add_detector_error(talk, s, np.random.default_rng(1)) - talk for s in (1.0, 2.0)
    )
    assert np.abs(one).max() > 0.001
    np.testing.assert_allclose(two, 2 * one, atol=1e-5)
    assert (detector.add_detector_error(talk, 0.0, np.random.default_rng(1)) == talk).all()


def test_errors_turn_and_grow_with_the_face(talk):
    angle = 0.4
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    moved = (talk @ turn * 100 + 7).astype(np.float64)
    plain = detector.add_detector_error(talk.astype(np.float64), 1.0, np.random.default_rng(1))
    other = detector.add_detector_error(moved, 1.0, np.random.default_rng(1))
    np.testing.assert_allclose(other, plain @ turn * 100 + 7, atol=1e-3)
