"""Frames of another system in a folder score as the same frames do that a method of ours makes."""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from headmime.data.protocol import sample_cases
from headmime.errors import HeadmimeError
from headmime.evaluation.baselines import copy_nearest
from headmime.evaluation.evaluate import EvalContext, evaluate, make_animator
from headmime.evaluation.frame_folder import FrameFolder
from headmime.evaluation.trials import cross_trials, driving_landmarks, load_landmarks


def write_frames(context: EvalContext, folder: Path) -> None:
    """What `copy_nearest` makes of every trial's first four frames, as PNG files."""
    for trial in context.trials:
        sources = load_landmarks(context.store, trial.gallery[:4])
        asked = driving_landmarks(context.store, trial, sources, context.motion)
        (folder / trial.name).mkdir(parents=True)
        for k, frame in enumerate(make_animator(context, copy_nearest, trial, 4)(asked)):
            Image.fromarray(frame).save(folder / trial.name / f"{k:03}.png")


@pytest.mark.parametrize("mode", ["self", "cross"])
def test_files_score_as_the_method_that_made_them(
    context: EvalContext, tmp_path: Path, mode: str
) -> None:
    if mode == "cross":
        cases = sample_cases(context.store, split="test", held_out=12, sources=8).cases
        context = replace(context, trials=cross_trials(context.store, cases, drivers=1))
    folder = tmp_path / "frames"
    write_frames(context, folder)
    ours = evaluate(context, copy_nearest, 4, "nearest")
    theirs = evaluate(context, FrameFolder(folder), 4, "frames")
    for one, other in zip(ours.scores, theirs.scores, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            np.testing.assert_array_equal(one[name], other[name], name)


def test_a_video_has_a_frame_for_each_driving_frame(context: EvalContext, tmp_path: Path) -> None:
    """And frames of another side are brought to the row's."""
    trial = context.trials[0]
    file = tmp_path / f"{trial.name}.mkv"
    file.parent.mkdir(parents=True)
    grey = [np.full((64, 64, 3), 20 * k, np.uint8) for k in range(12)]
    with av.open(str(file), "w") as container:
        stream = container.add_stream("ffv1", 25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "bgr0"
        for frame in grey:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    made = make_animator(context, FrameFolder(tmp_path), trial, 1)(
        load_landmarks(context.store, trial.truth)
    )
    assert made.shape == (12, 32, 32, 3)
    assert made[:, 16, 16, 0].tolist() == [20 * k for k in range(12)]


def test_other_files_are_another_row(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "0.png").write_bytes(b"1")
    first = FrameFolder(tmp_path).hash
    assert FrameFolder(tmp_path).hash == first
    (tmp_path / "a" / "0.png").rename(tmp_path / "a" / "1.png")
    assert FrameFolder(tmp_path).hash != first


def test_what_is_missing_is_one_sentence(context: EvalContext, tmp_path: Path) -> None:
    trial = context.trials[0]
    with pytest.raises(HeadmimeError, match="is not a folder"):
        FrameFolder(tmp_path / "nowhere")
    folder = FrameFolder(tmp_path)
    with pytest.raises(HeadmimeError, match=rf"{trial.name} is missing: a folder of 12 images"):
        folder.animator(trial, 32)
    (tmp_path / trial.name).mkdir(parents=True)
    file = tmp_path / trial.name / "0.png"
    Image.new("RGB", (8, 8)).save(file)
    with pytest.raises(HeadmimeError, match="has 1 frames, and the trial 12"):
        folder.animator(trial, 32)
    Image.new("RGB", (8, 9)).save(file)
    with pytest.raises(HeadmimeError, match="should be square"):
        folder.animator(replace(trial, driving=trial.driving[:1]), 32)
