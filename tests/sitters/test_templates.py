"""The bundled driving templates."""

import numpy as np
import pytest

from headmime.assets import ASSETS
from headmime.landmarks.points import EYE_L, face_size, head_turn, mouth_opening


@pytest.fixture(params=["talk", "turn", "listen-and-smile"])
def template(request):
    with np.load(ASSETS / "motions" / f"{request.param}.npz", allow_pickle=False) as content:
        return request.param, dict(content)


def lids(landmarks):
    """How far the left eye is open, in crop units [T]."""
    eye = landmarks[:, EYE_L]
    return (eye[:, [4, 5], 1] - eye[:, [1, 2], 1]).mean(1)


def test_format(template):
    name, content = template
    landmarks = content["landmarks"]
    assert landmarks.dtype == np.float32
    assert landmarks.shape == ({"talk": 125, "turn": 100, "listen-and-smile": 150}[name], 68, 2)
    assert content["fps"] == 25
    assert content["neutral"] == 0
    assert len(str(content["description"])) > 20
    assert landmarks.min() > 0
    assert landmarks.max() < 1


def test_starts_neutral_and_loops_smoothly(template):
    landmarks = template[1]["landmarks"]
    assert mouth_opening(landmarks[0]) < 0.03
    assert abs(head_turn(landmarks[0])) < 0.01
    assert lids(landmarks)[0] > 0.9 * np.median(lids(landmarks))
    steps = np.abs(np.diff(np.concatenate([landmarks, landmarks[:1]]), axis=0)).max((1, 2))
    assert steps[-1] < 0.01
    assert steps.max() < 0.04


def test_blinks(template):
    opened = lids(template[1]["landmarks"])
    closed = opened < 0.3 * np.median(opened)
    assert np.count_nonzero(np.diff(closed.astype(int)) == 1) == 2


def test_what_moves():
    motions = ASSETS / "motions"
    talk, turn = (np.load(motions / f"{name}.npz")["landmarks"] for name in ("talk", "turn"))
    assert mouth_opening(talk).max() > 0.12
    assert (mouth_opening(talk)[10:-10].reshape(-1, 15).max(1) > 0.08).all()  # without long pauses
    assert np.abs(head_turn(talk)).max() < 0.06
    assert head_turn(turn).max() > 0.1
    assert head_turn(turn).min() < -0.1
    assert mouth_opening(turn).max() < 0.04


def test_a_listener_smiles_and_nods():
    landmarks = np.load(ASSETS / "motions" / "listen-and-smile.npz")["landmarks"]
    width = np.linalg.norm(landmarks[:, 54] - landmarks[:, 48], axis=-1) / face_size(landmarks)
    assert width[90:130].min() > 1.15 * width[0]
    assert mouth_opening(landmarks).max() < 0.04
    nose = landmarks[:, 30, 1] - landmarks[:, 36:48, 1].mean(1)
    assert np.ptp(nose[25:60]) > 0.02
