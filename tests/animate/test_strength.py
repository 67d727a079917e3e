"""How far the head, the mouth, the eyes and the expression of a relative motion go."""

from dataclasses import replace

import numpy as np
import pytest

from headmime.animate.motion import fit_landmarks, relative_motion
from headmime.animate.strength import AS_DRIVEN, DEPTH, Strength, check_strength
from headmime.errors import HeadmimeError
from headmime.landmarks.points import face_size, head_turn

NONE = Strength(head=0, expression=0)
MOUTH = slice(48, 68)
LOWER_LIP = [55, 56, 57, 58, 59, 65, 66, 67]
UPPER_LIDS, LOWER_LIDS = [37, 38, 43, 44], [41, 40, 47, 46]
REST = [*range(5), *range(12, 17), *range(27, 36), 36, 39, 42, 45]


@pytest.fixture(scope="module")
def face(mona_landmarks: np.ndarray) -> np.ndarray:
    """Her face with lips a little apart, so that no rule against crossing lips moves a point."""
    face = mona_landmarks.copy()
    face[LOWER_LIP, 1] += 0.02
    return face


def tilted(face: np.ndarray, angle: float) -> np.ndarray:
    """The face turned in the image about the middle of its eyes and nose."""
    middle = face[[36, 39, 42, 45, *range(27, 36)]].mean(0)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return ((face - middle) @ turn.T + middle).astype(np.float32)


def yawed(face: np.ndarray, amount: float) -> np.ndarray:
    """Points move sideways by their depth: a small turn of the head."""
    return (face + np.outer(DEPTH, (amount * face_size(face), 0))).astype(np.float32)


def spoken(face: np.ndarray, amount: float) -> np.ndarray:
    """The lower lip goes down, nothing else."""
    now = face.copy()
    now[LOWER_LIP, 1] += amount
    return now


def test_no_strength_is_the_source_s_own_face(face: np.ndarray) -> None:
    driving = np.stack([face, tilted(yawed(spoken(face, 0.06), 0.1), 0.2) + 0.05])
    driving[1, UPPER_LIDS, 1] += 0.01
    moved = relative_motion(driving, driving[0], face, NONE)
    assert abs(moved - face).max() < 1e-6
    moved = fit_landmarks(driving, face, "relative", in_place=True, strength=NONE)
    assert abs(moved - face).max() < 1e-6


def test_a_strength_of_one_changes_nothing(face: np.ndarray) -> None:
    driving = np.stack([face, tilted(yawed(spoken(face, 0.06), 0.1), 0.2) + 0.05])
    own = face * (1.1, 0.95) + 0.01
    one, other = (
        fit_landmarks(driving, own, "relative", strength=s) for s in (AS_DRIVEN, Strength())
    )
    assert np.array_equal(one, fit_landmarks(driving, own, "relative"))
    assert np.array_equal(one, other)
    # and the scaling itself, with factors that differ from 1 by nothing that a float32 shows
    almost = Strength(*[1 + 1e-12] * 4)
    assert abs(fit_landmarks(driving, own, "relative", strength=almost) - one).max() < 1e-6


@pytest.mark.parametrize("strength", [0.0, 0.5, 2.0])
def test_the_mouth_goes_so_many_times_as_far_and_nothing_else_does(
    face: np.ndarray, strength: float
) -> None:
    driving = np.stack([face, spoken(face, 0.03)])
    driving[1, UPPER_LIDS, 1] += 0.003
    plain = relative_motion(driving, face, face)
    moved = relative_motion(driving, face, face, Strength(mouth=strength))
    change, driven = moved[1] - face, plain[1] - face
    assert driven[LOWER_LIP, 1].min() > 0.025
    assert change[MOUTH] == pytest.approx(strength * driven[MOUTH], abs=1e-4)
    assert moved[1, 17:48] == pytest.approx(plain[1, 17:48], abs=1e-4)


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.5])
def test_the_eyes_close_so_many_times_as_far(face: np.ndarray, strength: float) -> None:
    driving = np.stack([face, spoken(face, 0.03)])
    driving[1, UPPER_LIDS, 1] += 0.2 * (face[LOWER_LIDS, 1] - face[UPPER_LIDS, 1])
    plain = relative_motion(driving, face, face)
    moved = relative_motion(driving, face, face, Strength(eyes=strength))
    change, driven = moved[1] - face, plain[1] - face
    assert driven[UPPER_LIDS, 1].min() > 0.003
    assert change[36:48] == pytest.approx(strength * driven[36:48], abs=1e-4)
    assert moved[1, MOUTH] == pytest.approx(plain[1, MOUTH], abs=1e-4)


def test_the_expression_multiplies_mouth_and_eyes(face: np.ndarray) -> None:
    driving = np.stack([face, spoken(face, 0.02)])
    one = relative_motion(driving, face, face, Strength(mouth=2))
    other = relative_motion(driving, face, face, Strength(expression=2))
    both = relative_motion(driving, face, face, Strength(mouth=2, expression=0.5))
    assert one[1, MOUTH] == pytest.approx(other[1, MOUTH], abs=1e-5)
    assert both[1, MOUTH] == pytest.approx(relative_motion(driving, face, face)[1, MOUTH], abs=1e-5)


@pytest.mark.parametrize("head", [0.0, 0.5, 2.0, 3.0])
def test_the_head_moves_tilts_and_grows_so_many_times_as_far(face: np.ndarray, head: float) -> None:
    angle, shift, scale = 0.15, np.array([0.05, -0.02]), 1.2
    middle = face[[36, 39, 42, 45, *range(27, 36)]].mean(0)
    driving = np.stack([face, (tilted(face, angle) - middle) * scale + middle + shift])
    expected = (tilted(face, head * angle) - middle) * scale**head + middle + head * shift
    moved = relative_motion(driving, face, face, Strength(head=head))
    assert abs(moved[1] - expected).max() < 1e-4


@pytest.mark.parametrize("head", [0.0, 2.0])
def test_a_turn_belongs_to_the_head_and_not_to_the_expression(
    face: np.ndarray, head: float
) -> None:
    driving = np.stack([face, yawed(face, 0.15)])
    moved = relative_motion(driving, face, face, Strength(head=head))
    driven = head_turn(driving)
    assert driven[1] - driven[0] > 0.02
    turns = head_turn(moved)
    assert turns[1] - turns[0] == pytest.approx(head * (driven[1] - driven[0]), rel=0.02, abs=2e-4)
    still = relative_motion(driving, face, face, Strength(expression=0))
    assert still[1, REST] == pytest.approx(relative_motion(driving, face, face)[1, REST], abs=2e-4)


def test_lips_and_lids_that_are_exaggerated_never_cross(face: np.ndarray) -> None:
    shut = spoken(face, -0.02)
    shut[UPPER_LIDS, 1] = face[LOWER_LIDS, 1]
    moved = relative_motion(np.stack([face, shut]), face, face, Strength(mouth=3, eyes=3))
    assert (moved[:, [67, 66, 65], 1] - moved[:, [61, 62, 63], 1]).min() > -0.002
    assert (moved[:, LOWER_LIDS, 1] - moved[:, UPPER_LIDS, 1]).min() > -0.002


@pytest.mark.parametrize("name", ["head", "mouth", "eyes", "expression"])
@pytest.mark.parametrize("value", [-0.1, 3.1, float("nan")])
def test_factors_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(HeadmimeError, match=rf"strength\.{name}=.*from 0 \(none\) to 3"):
        check_strength(replace(AS_DRIVEN, **{name: value}))


def test_absolute_motion_has_no_change_to_scale() -> None:
    check_strength(AS_DRIVEN, "absolute")
    with pytest.raises(HeadmimeError, match=r"strength \(mouth=2\) needs motion=relative"):
        check_strength(Strength(mouth=2), "absolute")
