"""The whole way from a real video to a framed clip."""

import csv
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from headmime.data.video_reader import read_video
from headmime.landmarks.crop import crop_box
from headmime.landmarks.detect import load_detector
from headmime.landmarks.faces import Detector, largest
from headmime.landmarks.points import face_size, mouth_opening
from headmime.landmarks.track import fill_gaps, smooth, track


@pytest.fixture(scope="module")
def dlib_detector() -> Detector:
    return load_detector("dlib")


@pytest.fixture(scope="module")
def tune_clips(shared_data: Path) -> list[Path]:
    with open(shared_data / "clips.tsv", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        clips = [shared_data / row["file"] for row in rows if row["split"] == "tune"]
    assert len(clips) > 50
    return clips


def test_one_face_in_the_first_frame_of_each(tune_clips: list[Path], dlib_detector: Detector):
    for file in tune_clips[::5][:12]:
        frame, _ = next(read_video(file))
        (faces,) = dlib_detector.detect([frame])
        assert len(faces) == 1, file.name
        pixels = faces[0].pixels
        landmarks = crop_box(pixels[None]).to_crop(pixels)
        assert landmarks.min() > 0 and landmarks.max() < 1, file.name
        assert 0.35 < face_size(landmarks) < 0.5, file.name


def test_a_clip_is_tracked_without_holes(tune_clips: list[Path], dlib_detector: Detector):
    for file in tune_clips[3::20][:3]:
        frames = [frame for frame, _ in islice(read_video(file), 40)]
        result = track(frames, dlib_detector)
        pixels = fill_gaps(result.pixels)
        assert not np.isnan(pixels).any(), file.name
        steps = np.abs(np.diff(pixels.mean(1), axis=0)).max()
        assert steps < 0.3 * face_size(pixels).mean(), file.name  # one person, no jumps
        jitter, left = (np.abs(np.diff(p, 2, 0)).mean() for p in (pixels, smooth(pixels)))
        assert left < 0.7 * jitter, file.name
        box = crop_box(smooth(pixels))
        landmarks = box.to_crop(pixels)
        assert landmarks.min() > 0 and landmarks.max() < 1, file.name
        assert (mouth_opening(landmarks) < 0.5).all(), file.name


def test_voxceleb2_clips_too(shared_data: Path, dlib_detector: Detector):
    files = sorted((shared_data / "voxceleb2/mp4/id00017").glob("*/*.mp4"))[::12]
    assert files
    for file in files:
        frames = [frame for frame, _ in islice(read_video(file), 12)]
        pixels = track(frames, dlib_detector).pixels
        assert not np.isnan(pixels).any(), file
        face = largest(dlib_detector.detect(frames[-1:])[0]).pixels
        assert np.abs(pixels[-1] - face).mean() < 0.05 * face_size(face), file
