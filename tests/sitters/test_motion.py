"""Tracks of a talking head."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headmime.sitters.motion import (
    EXPRESSIONS,
    FPS,
    SHARES,
    blink,
    bone_turns,
    make_motion,
    random_motion,
    smooth_noise,
    speech,
)

# anny's names (see `Body.action_names`): sided and plain ones that the motion uses
SIDES = [
    "browDown",
    "browOuterUp",
    "cheekSquint",
    "eyeBlink",
    "eyeLookDown",
    "eyeLookIn",
    "eyeLookOut",
    "eyeLookUp",
    "eyeSquint",
    "eyeWide",
    "mouthDimple",
    "mouthFrown",
    "mouthLowerDown",
    "mouthPress",
    "mouthSmile",
    "mouthStretch",
    "mouthUpperUp",
    "noseSneer",
]
PLAIN = ["browInnerUp", "cheekPuff", "jawOpen", "mouthFunnel", "mouthLeft", "mouthPucker"]
PLAIN += ["mouthRight", "mouthShrugLower", "mouthRollLower", "mouthRollUpper"]
NAMES = [name + side for name in SIDES for side in ("Left", "Right")] + PLAIN


def generator(seed=0):
    return np.random.default_rng(seed)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 200))
def test_actions_and_turns_stay_in_their_ranges(seed, frames):
    motion = random_motion(generator(seed), NAMES, frames)
    assert motion.actions.shape == (frames, len(NAMES))
    assert motion.turns.shape == (frames, 3)
    assert motion.actions.min() >= 0
    assert motion.actions.max() <= 1
    assert (np.degrees(np.abs(motion.turns).max(0)) < (25, 44, 26)).all()


def test_the_same_seed_gives_the_same_motion():
    one, same, other = (random_motion(generator(seed), NAMES, 50) for seed in (3, 3, 4))
    assert (one.actions == same.actions).all()
    assert (one.turns == same.turns).all()
    assert (one.turns != other.turns).any()


def test_heads_turn_far_now_and_then():
    turns = [np.abs(random_motion(generator(n), NAMES, 250).turns[:, 1]).max() for n in range(60)]
    assert np.degrees(max(turns)) > 38
    assert np.degrees(np.median(turns)) > 15


def test_a_blink_is_closed_when_it_should_be_and_soon_over():
    lids = blink(50, at=1.0)
    assert lids.argmax() == FPS
    assert lids.max() == 1
    assert lids[[15, 40]].max() < 0.01


def test_eyes_are_more_shut_than_open_in_a_tenth_of_the_time():
    """Of thirty clips: enough for a network to learn how shut eyes look."""
    clips = [random_motion(generator(n), NAMES, 250).actions for n in range(30)]
    shut = np.concatenate(clips)[:, NAMES.index("eyeBlinkLeft")] > 0.5
    assert 0.08 < shut.mean() < 0.2


def test_drift_has_unit_variance_and_is_smooth():
    track = smooth_noise(generator(), 20000, 1.0)
    assert track.std() == pytest.approx(1, abs=0.1)
    assert np.abs(np.diff(track)).max() < 0.5


def test_speech_opens_and_closes_the_jaw():
    jaw = speech(generator(), NAMES, 250, 1.0)[:, NAMES.index("jawOpen")]
    assert jaw.max() > 0.3
    assert jaw.min() < 0.02


@given(st.lists(st.floats(-0.7, 0.7), min_size=3, max_size=3))
def test_bone_turns_are_rotations_that_add_up(angles):
    turns = bone_turns(np.array([angles]))[0]
    assert np.allclose(turns @ turns.transpose(0, 2, 1), np.eye(3))
    nod, turn, tilt = angles
    if nod == tilt == 0:
        face = np.linalg.multi_dot(list(turns)) @ (0, -1, 0)  # where the nose points
        assert np.allclose(face, (np.sin(turn), -np.cos(turn), 0))


def test_a_nod_lowers_the_nose_and_a_turn_moves_it_to_the_sitters_left():
    def nose(angles):
        return np.linalg.multi_dot(list(bone_turns(np.array([angles]))[0])) @ (0, -1, 0)

    assert nose((0.3, 0, 0))[2] < -0.2
    assert nose((0, 0.3, 0))[0] > 0.2
    assert np.linalg.multi_dot(list(bone_turns(np.array([(0, 0, 0.3)]))[0]))[0, 2] > 0.2


def test_hair_trails_behind_a_turning_head_and_catches_up():
    turns = np.zeros((100, 3))
    turns[20:30, 1] = np.linspace(0, 0.5, 10)
    turns[30:, 1] = 0.5
    trail = make_motion(np.zeros((100, 1)), turns).trail[:, 1]
    assert (trail[21:30] < turns[21:30, 1]).all()
    assert trail[-1] == pytest.approx(0.5, abs=0.001)
    assert np.abs(trail - turns[:, 1]).max() <= 0.2


def test_every_expression_is_made_of_anny_s_actions_and_happens():
    assert sum(SHARES) == pytest.approx(1)
    known = set(PLAIN) | set(SIDES)
    assert all(set(actions) <= known for actions in EXPRESSIONS.values())
