"""Real frames and made ones of the same people in the same poses: what a detector has to part."""

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

    real, made: uint8 [n, S, S, 3]. landmarks: [n, 68, 2], those of the real frames; asked: those
    that the made ones were asked for. sources, source_landmarks: the T frames the model was given.
    """

    person: str
    real: np.ndarray
    made: np.ndarray
    landmarks: np.ndarray
    asked: np.ndarray
    sources: np.ndarray
    source_landmarks: np.ndarray


def lineups(
    context: EvalContext, method: Adapt | FrameFolder, T: int, on_trial: OnFrame | None = None
) -> list[Lineup]:
    """Every trial's true frames beside what `method` makes of its first T source frames."""
    found = []
    for trial in report_progress(context.trials, len(context.trials), on_trial):
        store, given = context.store, trial.gallery[:T]
        source_landmarks = load_landmarks(store, given)
        asked = driving_landmarks(store, trial, source_landmarks, context.motion)
        assert trial.truth is not None  # so are modes without it
        found.append(
            Lineup(
                person=trial.person,
                real=load_frames(store, trial.truth, context.size),
                made=make_animator(context, method, trial, T)(asked),
                landmarks=load_landmarks(store, trial.truth),
                asked=asked,
                sources=load_frames(store, given, context.size),
                source_landmarks=source_landmarks,
            )
        )
    return found


def treat_all(found: Sequence[Lineup], treat: Callable[[np.ndarray], np.ndarray]) -> list[Lineup]:
    """The same with real and made frames both gone through `treat`."""
    return [replace(one, real=treat(one.real), made=treat(one.made)) for one in found]


def through_h264(frames: np.ndarray, crf: int) -> np.ndarray:
    """uint8 [n, S, S, 3] encoded at quality `crf` and decoded, each frame by itself (they are not
    neighbours in time); S even.
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
    shown = [one for packet in [*packets, None] for one in decoder.decode(packet)]
    return np.stack([one.to_ndarray(format="rgb24") for one in shown])
