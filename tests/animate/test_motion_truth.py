"""Relative motion against the truth: the same motion made by another sitter, seen turned."""

import numpy as np
import pytest

from headmime.animate.motion import relative_motion
from headmime.animate.strength import Strength
from headmime.landmarks.crop import crop_box
from headmime.landmarks.points import face_size
from headmime.sitters.body import Body, bone_transforms, load_body, skin_vertices
from headmime.sitters.identity import Sitter, random_sitter
from headmime.sitters.motion import Motion, bone_turns, make_motion, random_motion
from headmime.sitters.points import LANDMARK_VERTICES, jaw_chains, locate_landmarks
from headmime.sitters.studio import look_at

CAMERA = look_at(np.array([0.0, -0.03, 0.02]), 1.3, 0.0, 0.0, 0.0)


def points(body: Body, sitter: Sitter, motion: Motion) -> np.ndarray:
    """The 68 points [T, 68, 2] of a sitter in front of a camera."""
    landmarks = body.vertex(LANDMARK_VERTICES)
    chains = jaw_chains(body, landmarks)
    rest, bones = body.person(sitter.phenotype, sitter.local)
    rotations, translations = bone_transforms(bones, bone_turns(motion.turns))
    meshes = [
        skin_vertices(expressed, body.weights, rotations[t], translations[t])
        for t, expressed in enumerate(body.express(rest, motion.actions))
    ]
    return np.stack(
        [locate_landmarks(CAMERA.project(mesh)[:, :2], landmarks, chains) for mesh in meshes]
    )


def error(landmarks: np.ndarray, truth: np.ndarray) -> float:
    """Mean distance of the points, in face sizes."""
    return float((np.linalg.norm(landmarks - truth, axis=-1).mean(-1) / face_size(truth)).mean())


@pytest.mark.slow
@pytest.mark.parametrize(("turn", "at_most"), [(0.0, 0.035), (0.15, 0.05), (-0.25, 0.06)])
def test_another_person_s_motion_on_one_s_own_face(turn: float, at_most: float) -> None:
    """`turn`: of the source's head against the driver's, in radians.

    Far nearer to the truth than the driver's own landmarks and than not moving at all.
    """
    body = load_body()
    rng = np.random.default_rng(7)
    errors = []
    for _ in range(6):
        source, driver = (random_sitter(rng, body.local_names) for _ in range(2))
        motion = random_motion(rng, [str(name) for name in body.action_names], 200).every(10)
        actions, turns = motion.actions.copy(), motion.turns.copy()
        actions[0] = turns[0] = 0  # begins with the neutral face
        driving = points(body, driver, make_motion(actions, turns))
        driving = crop_box(driving).to_crop(driving)
        truth = points(body, source, make_motion(actions, turns + np.array([0, turn, 0])))
        truth = crop_box(truth[:1]).to_crop(truth)
        moved = relative_motion(driving, driving[0], truth[0])
        errors.append((error(moved, truth), error(driving, truth), error(truth[:1], truth)))
    relative_error, absolute_error, still_error = np.mean(errors, 0)
    assert relative_error < at_most
    assert relative_error < 0.4 * absolute_error
    assert relative_error < 0.4 * still_error


@pytest.mark.slow
def test_without_the_head_s_motion_the_expression_is_left() -> None:
    """Against the same expressions with a still head. Errors are 15 to 25 times those as driven."""
    body = load_body()
    rng = np.random.default_rng(11)
    parts = {"brows": slice(17, 27), "mouth": slice(48, 68), "chin": slice(5, 12)}
    errors = []
    for _ in range(6):
        source, driver = (random_sitter(rng, body.local_names) for _ in range(2))
        motion = random_motion(rng, [str(name) for name in body.action_names], 200).every(10)
        actions, turns = motion.actions.copy(), motion.turns.copy()
        actions[0] = turns[0] = 0
        driving = points(body, driver, make_motion(actions, turns))
        truth = points(body, source, make_motion(actions, 0 * turns))
        size = face_size(truth[0])
        for head in (0, 1):
            moved = relative_motion(driving, driving[0], truth[0], Strength(head=head))
            off = np.linalg.norm(moved - truth, axis=-1).mean(0) / size
            errors.append([off[part].mean() for part in parts.values()])
    still, driven = np.mean(errors[::2], 0), np.mean(errors[1::2], 0)
    assert (still < (0.015, 0.012, 0.012)).all(), dict(zip(parts, still, strict=True))
    assert (driven > 2 * still).all()
