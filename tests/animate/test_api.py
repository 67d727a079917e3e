"""The four names of the Python API, together."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import headmime
from headmime.animate.api import choose_detector
from headmime.animate.model import Model
from headmime.errors import HeadmimeError
from headmime.landmarks.detect import Detector


def test_from_a_picture_to_a_video(
    model: Model, mona_lisa: Path, moving: Path, dlib: Detector, tmp_path: Path
) -> None:
    person = headmime.personalise(
        model, [mona_lisa], finetune=None, consent="public-domain", detector=dlib
    )
    animation = headmime.animate(person, moving, detector=dlib)
    assert len(animation) == 12
    path = headmime.save(animation, tmp_path / "her.gif")
    with Image.open(path) as gif:
        assert gif.size == (256, 256)
    assert b"consent=public-domain" in path.read_bytes()


def test_a_missing_model_is_named() -> None:
    with pytest.raises(HeadmimeError, match="weights=nothing: nothing.safetensors is missing"):
        headmime.load("nothing")


def test_the_detector_is_the_model_s_unless_the_user_insists(
    dlib: Detector, caplog: pytest.LogCaptureFixture
) -> None:
    assert choose_detector(None, "dlib").name == "dlib"
    assert choose_detector(dlib, "dlib") is dlib
    assert not caplog.messages
    assert choose_detector(dlib, "face-alignment") is dlib
    assert "detector=dlib, but the model learned from the points of face-alignment" in caplog.text


def test_steps_and_frames_are_told(model: Model, mona_lisa: Path, dlib: Detector, tmp_path: Path):
    person = headmime.personalise(model, [mona_lisa], finetune="none", detector=dlib)
    motion = tmp_path / "m.npz"
    np.savez(motion, landmarks=np.repeat(person.neutral[None], 5, 0), fps=25.0)
    told = []
    animation = headmime.animate(person, motion)
    headmime.save(animation, tmp_path / "a.mp4", on_frame=lambda done, total: told.append(done))
    assert told == [1, 2, 3, 4, 5]
