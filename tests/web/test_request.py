"""What is said about a job before it, and what a job of each kind makes."""

import threading
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from headmime.animate.driving import load_template, load_video
from headmime.animate.media_writer import encode
from headmime.animate.sources import Scene
from headmime.data.image_reader import read_image
from headmime.errors import HeadmimeError
from headmime.landmarks.crop import Crop
from headmime.landmarks.faces import Detector
from headmime.web.jobs import JobRunner
from headmime.web.progress import Progress
from headmime.web.request import Checked, JobRequest
from headmime.web.uploads import Limits

MakeRunner = Callable[..., JobRunner]


@pytest.fixture
def asked(mona_lisa: Path) -> JobRequest:
    """The Mona Lisa turns, feed-forward."""
    return JobRequest((mona_lisa,), "turn", "crop", False, "public-domain")


@pytest.fixture
def nodding(mona_lisa: Path, tmp_path: Path) -> Path:
    """A second of the painting, moved up and down."""
    small = cv2.resize(read_image(mona_lisa)[:512, :512], (256, 256))
    frames = (np.roll(small, round(4 * np.sin(k / 2)), 0) for k in range(10))
    encode(tmp_path / "nod.mp4", frames, Fraction(10), "")
    return tmp_path / "nod.mp4"


def unwatched() -> Progress:
    return Progress(lambda *_: None, threading.Event())


@pytest.mark.parametrize(("size", "side"), [(128, 256), (256, 256), (512, 512)])
def test_the_size_is_that_of_the_networks(asked: JobRequest, size: int, side: int) -> None:
    said = asked.describe(Checked(1, size))
    assert said == (
        f"100 frames; the head is made at {size} x {size} pixels, the video at {side} pixels."
    )
    image = Scene(np.zeros((700, 900, 3), np.uint8), Crop(0, 0, 1))
    full = replace(asked, output="full").describe(Checked(1, size, image))
    assert "the video at 900 pixels, as the photo" in full


def test_paces_are_those_of_the_size(asked: JobRequest, make_runner: MakeRunner) -> None:
    """A saved person of other networks is as slow as these."""
    runner = make_runner()
    runner.paces["frames of crop at 256 pixels"] = 0.1
    assert runner.expected_seconds(asked, Checked(1, 256)) == pytest.approx(10)
    assert runner.expected_seconds(asked, Checked(1, 128)) is None


def test_a_saved_person_has_its_own_size(
    asked: JobRequest, make_runner: MakeRunner, tmp_path: Path
) -> None:
    runner = make_runner()
    saved = runner.make_person(asked, None, unwatched()).save(tmp_path / "mona.safetensors")
    assert runner.check_person([saved]) == Checked(1, 16)


def test_an_image_drives(
    asked: JobRequest, make_runner: MakeRunner, mona_lisa: Path, tmp_path: Path
) -> None:
    runner, still = make_runner(), replace(asked, driving=mona_lisa)
    still.check(Limits())
    assert "One image; the head is made at 16 x 16 pixels" in still.describe(Checked(1, 16))
    person = runner.make_person(still, None, unwatched())
    made = runner.make_video(person, still, tmp_path, unwatched())
    assert made.file.suffix == ".png" and made.animation.statement.settings["motion"] == "absolute"
    with Image.open(made.file) as image:
        assert made.file.stem == f"mona_lisa-mona_lisa-{image.width}px"
        assert made.caption == f"{image.width} pixels"


def test_a_template_is_the_motion_of_the_video(
    make_runner: MakeRunner, dlib: Detector, nodding: Path, tmp_path: Path
) -> None:
    made = make_runner().make_template(nodding, 0.2, 0.8, tmp_path / "out", unwatched())
    assert made == tmp_path / "out" / "nod.npz"
    part = load_video(nodding, dlib, start=0.2, end=0.8).landmarks
    assert part.shape == (6, 68, 2)
    assert np.abs(load_template(made).landmarks - part).max() <= 1e-4


def test_what_a_job_needs_is_said(asked: JobRequest, noise: Path, tmp_path: Path) -> None:
    asked.check(Limits())
    with pytest.raises(HeadmimeError, match="why you may animate"):
        replace(asked, consent=None).check(Limits())
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.raises(HeadmimeError, match=r"text\.jpg cannot be read, neither as a photo"):
        replace(asked, driving=tmp_path / "text.jpg").check(Limits())
    with pytest.raises(HeadmimeError, match="megapixels"):
        replace(asked, driving=noise).check(Limits(megapixels=0))
