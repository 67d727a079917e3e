import base64
import io
import re
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from headmime.animate.animation import animation
from headmime.animate.driving import Driving
from headmime.animate.model import Model
from headmime.animate.person import BATCH, Person, person_from_images
from headmime.animate.poses import as_complex, similarity
from headmime.animate.sources import Scene, Sources
from headmime.errors import HeadmimeError
from headmime.landmarks.crop import Crop
from headmime.provenance.statement import Consent


@pytest.fixture
def person(model: Model, mona_landmarks: np.ndarray) -> Person:
    frame = np.full((1, 16, 16, 3), 120, np.uint8)
    sources = Sources(frame, mona_landmarks[None], "dlib", ["her"])
    return person_from_images(model, sources, None, None, Consent.OWN)


@pytest.fixture
def driving(mona_landmarks: np.ndarray) -> Driving:
    shift = np.linspace(0, 0.3, 3 * BATCH + 1, dtype=np.float32)[:, None, None]
    return Driving(mona_landmarks * 0.9 + shift, Fraction(25))


def test_every_frame_comes_from_the_generator_alone(person: Person, driving: Driving) -> None:
    moving = animation(person, driving, "absolute")
    assert (len(moving), moving.size, moving.fps) == (3 * BATCH + 1, 16, 25)
    assert np.array_equal(np.stack(list(moving)), person.animator(driving.landmarks))


def test_relative_motion_starts_at_the_person_s_own_face(person: Person, driving: Driving) -> None:
    moving = animation(person, driving, "relative")
    face, own = as_complex(moving.landmarks[0]), as_complex(person.neutral)
    a, b = similarity(face, own)
    assert abs(a * face + b - own).max() < 0.01
    assert abs(a) > 1.1  # the head moves far, so that the crop rule shows more around it


@pytest.fixture
def in_a_picture(person: Person) -> Person:
    """The same, cut out of the middle of a larger picture."""
    picture = np.full((90, 120, 3), 120, np.uint8)
    return replace(person, scene=Scene(picture, Crop(40, 20, 50)))


def test_full_output_has_the_size_of_the_picture(in_a_picture: Person, driving: Driving) -> None:
    moving = animation(in_a_picture, driving, "relative", "full")
    frames = list(moving)
    assert {frame.shape for frame in frames} == {(90, 120, 3)}
    assert moving.viewing_size == 120
    assert next(moving.frames(60)).shape == (45, 60, 3)
    small = animation(in_a_picture, replace(driving, landmarks=driving.landmarks[:1]), "relative")
    assert next(iter(small)).shape == (16, 16, 3)
    assert (np.stack(frames)[:, :, -5:] == 120).all()  # far from the head


def test_full_output_of_a_saved_person_is_refused(person: Person, driving: Driving) -> None:
    with pytest.raises(HeadmimeError, match="output=full needs the original image"):
        animation(person, driving, "relative", "full")
    with pytest.raises(HeadmimeError, match="output=whole is not known; choose one of crop, full"):
        animation(person, driving, "relative", "whole")


@pytest.mark.parametrize(("side", "size"), [(None, 256), (90, 256), (400.4, 400), (2160, 1024)])
def test_a_crop_is_as_large_as_the_driving_s(
    person: Person, driving: Driving, side: float | None, size: int
) -> None:
    moving = animation(person, replace(driving, side=side), "absolute")
    assert moving.viewing_size == size
    assert next(moving.frames(size)).shape == (size, size, 3)


def test_a_notebook_shows_the_video(person: Person, driving: Driving) -> None:
    short = replace(driving, landmarks=driving.landmarks[:3])
    html = animation(person, short, "absolute")._repr_html_()
    found = re.fullmatch(r'<video controls loop src="data:video/mp4;base64,(.*)"></video>', html)
    with av.open(io.BytesIO(base64.b64decode(found[1]))) as container:
        assert len(list(container.decode(video=0))) == 3


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
