"""A source becomes clips that are framed, split and named as they should be."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from headmime.data.preprocess.clips import ClipSettings, read_source
from headmime.data.preprocess.layouts import Refusal
from headmime.data.shards import ClipFrames

BLUE, RED = (30, 30, 120), (120, 30, 30)


@dataclass(frozen=True)
class Result:
    clips: list[ClipFrames]
    refused: list[Refusal]
    looked_at: int


def read_all(*arguments) -> Result:
    """What `read_source` yields and what it returns."""
    clips = []

    reading = read_source(*arguments)
    while True:
        try:
            clips.append(next(reading))
        except StopIteration as stop:
            return Result(clips, stop.value.refused, stop.value.looked_at)


@pytest.fixture
def read(
    tmp_path: Path, films, squares, clip_settings: ClipSettings, source: Callable
) -> Callable[..., Result]:
    """What becomes of a film of these frames."""

    def make(images: list[np.ndarray], /, **changes) -> Result:
        films.write(tmp_path / "a.mp4", images)
        return read_all(tmp_path, source("a.mp4"), replace(clip_settings, **changes), squares)

    return make


def test_one_person_is_one_clip_in_one_box(read: Callable, films):
    result = read(films.one_person(24))
    (clip,) = result.clips
    assert (result.refused, result.looked_at) == ([], 24)
    assert (clip.person, clip.video, clip.clip, clip.split) == ("anna", "v", "a.mp4", "train")
    assert (clip.fps, clip.detector, clip.source) == (25, "dlib", "a.mp4")
    np.testing.assert_allclose(clip.times, np.array([0, 8, 15, 23]) / 25)
    # Where the points say that the square is, there the image is white; beside it, it is grey.
    for frame, points in zip(clip.frames, clip.landmarks, strict=True):
        assert frame.shape == (32, 32, 3)
        x, y = (points.mean(0) * 32).astype(int)
        assert frame[y, x].min() > 200 and frame[31, 16].max() < 150
    steps = np.diff(clip.landmarks[:, 0, 0]) * clip.crop.side
    np.testing.assert_allclose(steps, [8, 7, 8], atol=0.2)  # a pixel a frame


def test_all_frames_and_fewer_a_second(read: Callable, films):
    assert len(read(films.one_person(20), frames=None).clips[0].times) == 20
    thinned = read(films.one_person(20), fps=12.5)
    assert thinned.looked_at == 10 and thinned.clips[0].fps == 25


def test_a_cut_splits(read: Callable, films):
    result = read(films.one_person(12, colour=BLUE) + films.one_person(12, left=40, colour=RED))
    assert [clip.clip for clip in result.clips] == ["a.mp4/000", "a.mp4/001"]
    first, second = (np.stack(clip.frames).mean((0, 1, 2)) for clip in result.clips)
    assert first[2] > first[0] and second[0] > second[2]
    assert result.clips[1].times[0] == pytest.approx(12 / 25)


def test_a_lost_face_splits_and_is_reported(read: Callable, films):
    nobody = [films.image()] * 10
    result = read(films.one_person(12) + nobody + films.one_person(20))
    assert len(result.clips) == 2
    (gap,) = result.refused
    assert gap.reason == "no face"
    assert gap.seconds[0] == pytest.approx(12 / 25)  # it is found again a little later
    assert 21 / 25 <= gap.seconds[1] <= 30 / 25


def test_nobody_at_all(read: Callable, films):
    result = read([films.image()] * 12)
    assert result.clips == [] and result.refused == [Refusal("a.mp4", "no face")]


def test_two_people(read: Callable, films):
    result = read([films.image((5, 30, 32), (55, 30, 28))] * 12)
    assert result.clips == [] and result.refused == [Refusal("a.mp4", "two people")]


def test_a_short_film(read: Callable, films):
    (refusal,) = read(films.one_person(5)).refused
    assert refusal.reason == "only 5 frames of one person in one shot"


def test_a_folder_of_images(
    tmp_path: Path, films, squares, clip_settings: ClipSettings, source: Callable
):
    (tmp_path / "faces").mkdir()
    for n, frame in enumerate(films.one_person(10)):
        Image.fromarray(frame).save(tmp_path / "faces" / f"{n:03d}.jpg")
    (clip,) = read_all(tmp_path, source("faces"), clip_settings, squares).clips
    assert clip.times.tolist() == [0, 3, 6, 9] and clip.fps == 1


def test_errors_of_our_own_do_not_end_a_run(
    tmp_path: Path, films, clip_settings: ClipSettings, source
):
    films.write(tmp_path / "a.mp4", films.one_person())
    (refusal,) = read_all(tmp_path, source("a.mp4"), clip_settings, None).refused
    assert refusal.reason.startswith("made headmime fail (AttributeError")


def test_the_real_detector(
    mona_lisa: Path, tmp_path: Path, films, clip_settings: ClipSettings, source
):
    """The painting, tilted to and fro: dlib follows it, and the eyes stay where they are."""
    from headmime.landmarks.detect import load_detector

    image = np.asarray(Image.open(mona_lisa).convert("RGB").resize((240, 320)))
    turns = [
        cv2.warpAffine(image, cv2.getRotationMatrix2D((120, 120), angle, 1), (240, 320))
        for angle in 4 * np.sin(np.linspace(0, 6, 16))
    ]
    films.write(tmp_path / "a.mp4", turns)
    result = read_all(
        tmp_path, source("a.mp4"), replace(clip_settings, size=64), load_detector("dlib")
    )
    (clip,) = result.clips
    assert result.refused == [] and clip.frames[0].shape == (64, 64, 3)
    eyes = clip.landmarks[:, 36:48].mean(1)
    np.testing.assert_allclose(eyes, [[0.5, 0.4]] * 4, atol=0.08)
