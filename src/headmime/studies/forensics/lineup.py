"""Lineups: real and generated frames of the same people in the same poses, for detectors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import av
import numpy as np

from headmime.evaluation.evaluate import Adapt, EvalContext, make_animator
from headmime.evaluation.frame_folder import FrameFolder
from headmime.evaluation.trials import driving_landmarks, load_frames, load_landmarks
from headmime.progress import OnFrame, report_progress


@dataclass(frozen=True, eq=False)
class Lineup:
    """One video of one person.

    real, fake: uint8 [n, S, S, 3]. landmarks: [n, 68, 2] of the real frames; target: [n, 68, 2],
    the generator's inputs for the fake ones. sources, source_landmarks: the model's T source
    frames.
    """

    person: str
    real: np.ndarray
    fake: np.ndarray
    landmarks: np.ndarray
    target: np.ndarray
    sources: np.ndarray
    source_landmarks: np.ndarray


def lineups(
    context: EvalContext, method: Adapt | FrameFolder, T: int, on_trial: OnFrame | None = None
) -> list[Lineup]:
    """Create a lineup for every trial: true frames, and `method`'s output from T source frames."""
    result = []
    for trial in report_progress(context.trials, len(context.trials), on_trial):
        store, source_refs = context.store, trial.gallery[:T]
        source_landmarks = load_landmarks(store, source_refs)
        target = driving_landmarks(store, trial, source_landmarks, context.motion)
        assert trial.truth is not None  # modes without it are rejected
        result.append(
            Lineup(
                person=trial.person,
                real=load_frames(store, trial.truth, context.size),
                fake=make_animator(context, method, trial, T)(target),
                landmarks=load_landmarks(store, trial.truth),
                target=target,
                sources=load_frames(store, source_refs, context.size),
                source_landmarks=source_landmarks,
            )
        )
    return result


def treat_all(raw: Sequence[Lineup], treat: Callable[[np.ndarray], np.ndarray]) -> list[Lineup]:
    """Apply `treat` to real and fake frames alike."""
    return [replace(one, real=treat(one.real), fake=treat(one.fake)) for one in raw]


def through_h264(frames: np.ndarray, crf: int) -> np.ndarray:
    """Encode and decode uint8 [n, S, S, 3] as h264 at quality `crf`, each frame as a keyframe (they
    are not consecutive); S even.
    """
    encoder = av.CodecContext.create("libx264", "w")
    encoder.height, encoder.width = frames.shape[1:3]
    encoder.pix_fmt, encoder.thread_count = "yuv420p", 1
    encoder.framerate = 25  # pyright: ignore[reportAttributeAccessIssue]  (its stub has it for reading)
    encoder.options = {"crf": str(crf), "g": "1", "bf": "0"}
    packets = []
    for frame in frames:
        packets += encoder.encode(av.VideoFrame.from_ndarray(frame, format="rgb24"))
    packets += encoder.encode(None)
    decoder = av.CodecContext.create("h264", "r")
    decoded = [one for packet in [*packets, None] for one in decoder.decode(packet)]
    return np.stack([one.to_ndarray(format="rgb24") for one in decoded])
