from fractions import Fraction

import numpy as np
import pytest

from headmime.animate.animation import animation
from headmime.animate.driving import Driving
from headmime.animate.model import Model
from headmime.animate.person import BATCH, Person, person_from
from headmime.animate.sources import Sources
from headmime.provenance.consent import Consent


@pytest.fixture
def person(model: Model, mona_landmarks: np.ndarray) -> Person:
    frame = np.full((1, 16, 16, 3), 120, np.uint8)
    sources = Sources(frame, mona_landmarks[None], "dlib", ["her"])
    return person_from(model, sources, None, None, Consent.OWN)


@pytest.fixture
def driving(mona_landmarks: np.ndarray) -> Driving:
    shift = np.linspace(0, 0.3, 3 * BATCH + 1, dtype=np.float32)[:, None, None]
    return Driving(mona_landmarks * 0.9 + shift, Fraction(25), 0)


def test_every_frame_comes_from_the_generator_alone(person: Person, driving: Driving) -> None:
    moving = animation(person, driving, "absolute")
    assert (len(moving), moving.size, moving.fps) == (3 * BATCH + 1, 16, 25)
    assert np.array_equal(np.stack(list(moving)), person.animator(driving.landmarks))


def test_relative_motion_starts_at_the_person_s_own_face(person: Person, driving: Driving) -> None:
    moving = animation(person, driving, "relative")
    assert abs(moving.landmarks[0] - person.neutral).max() < 0.01


def test_frames_are_made_while_they_are_read(
    person: Person, driving: Driving, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    animator = person.animator

    def counting(landmarks: np.ndarray) -> np.ndarray:
        made.append(len(landmarks))
        return animator(landmarks)

    monkeypatch.setattr(Person, "animator", property(lambda self: counting))
    frames = iter(animation(person, driving, "absolute"))
    next(frames)
    assert made == [BATCH]
    assert len(list(frames)) == 3 * BATCH
    assert made == [BATCH, BATCH, BATCH, 1]
