"""How eyes and mouth follow the driver's for several values of `motion.CLOSED_EYE`.

    python tools/bench_shut.py STORE [PAIRS]

Feed-forward on one image, relative motion, people of the split `test` driven by other people whose
eyes move (20 pairs); correlation and amplitude as in docs/guide/evaluate.md, by dlib. CLOSED_EYE=0
uses detected openings unchanged. Last column: amplitude of the driving landmarks' lids.
"""

import sys

import numpy as np

from headmime.animate import motion
from headmime.animate.model import load
from headmime.animate.person import adapt
from headmime.data.protocol import sample_cases
from headmime.data.store import Store
from headmime.evaluation.metrics.motion import STILL, amplitude, correlation
from headmime.evaluation.trials import (
    Trial,
    cross_trials,
    driving_landmarks,
    load_frames,
    load_landmarks,
)
from headmime.landmarks.detect_dlib import PointTrees, hog_box
from headmime.landmarks.points import eye_opening, mouth_opening

VALUES = (0.0, 0.3, 0.4, 0.5)


def eyes_move(store: Store, trial: Trial) -> bool:
    return eye_opening(load_landmarks(store, trial.driving)).std() >= STILL["eye"]


def measures(found: np.ndarray, asked: np.ndarray, driving: np.ndarray) -> list[float]:
    """The columns of the table, for the landmarks [T, 68, 2] of one pair."""
    eyes = eye_opening(found), eye_opening(driving), STILL["eye"]
    mouth = mouth_opening(found), mouth_opening(driving), STILL["mouth"]
    lids = amplitude(eye_opening(asked), eye_opening(driving), STILL["eye"])
    return [correlation(*eyes), amplitude(*eyes), correlation(*mouth), amplitude(*mouth), lids]


def main(folder: str, pairs: int = 20) -> None:
    store, model, trees = Store(folder), load(), PointTrees()
    size = model.shape.image_size
    cases = sample_cases(store).cases
    trials = [one for one in cross_trials(store, cases, 1) if eyes_move(store, one)][:pairs]
    rows = []
    for trial in trials:
        source = load_landmarks(store, trial.gallery[:1])
        animator = adapt(model.nets, load_frames(store, trial.gallery[:1], size), source, None)
        rows.append([])
        for motion.CLOSED_EYE in VALUES:
            asked = driving_landmarks(store, trial, source, "relative")
            places = zip(animator(asked), asked * size, strict=True)
            found = np.stack([trees.fit(frame, hog_box(face))[0] for frame, face in places])
            rows[-1].append(measures(found, asked, load_landmarks(store, trial.driving)))
    print(
        f"{len(trials)} pairs: eyes' correlation, amplitude, mouth's, both, and asked of the eyes"
    )
    for value, row in zip(VALUES, np.nanmean(rows, 0), strict=True):
        print(f"CLOSED_EYE={value:3.1f}" + "".join(f"{number:8.3f}" for number in row))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
