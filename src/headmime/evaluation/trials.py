"""What is animated in a row of a table: whose frames, by whose landmarks, against which truth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headmime.animate.motion import fit_landmarks
from headmime.animate.poses import neutral_frame
from headmime.data.protocol import Case, CrossCase
from headmime.data.store import Store
from headmime.errors import HeadmimeError
from headmime.images import resize

Refs = tuple[tuple[int, int], ...]
"""Frames of a store, as (clip, t)."""


@dataclass(frozen=True)
class Trial:
    """One person animated by one driving.

    `gallery` are all frames set aside as the person's sources, and an animator sees the first T of
    them. `truth` are the frames that the output should equal, one per driving frame, if there are
    any. `driver` is the driving person where it is somebody else, `driver_gallery` the frames set
    aside for that one.
    """

    name: str
    person: str
    gallery: Refs
    driving: Refs
    truth: Refs | None
    driver: str | None = None
    driver_gallery: Refs = ()


def self_trials(store: Store, cases: Sequence[Case]) -> list[Trial]:
    """Every case: its held-out frames drive and are the truth."""
    return [
        Trial(
            name="/".join(store.videos[case.video]),
            person=store.videos[case.video][0],
            gallery=case.sources,
            driving=case.held_out,
            truth=case.held_out,
        )
        for case in cases
    ]


def cross_trials(store: Store, cases: Sequence[Case], drivers: int) -> list[Trial]:
    """Every case's person, driven by the held-out frames of `drivers` other people's cases.

    The drivers of case k are the next cases (in a circle) of other people, so that everybody drives
    about equally often.
    """
    trials = []
    for k, case in enumerate(cases):
        others = [*cases[k + 1 :], *cases[:k]]
        trials += _driven(store, case.video, case.sources, others, drivers)
    return trials


def portrait_trials(
    store: Store, pictures: Sequence[int], cases: Sequence[Case], drivers: int
) -> list[Trial]:
    """Every video of a single frame, driven by the held-out frames of `drivers` people's cases.

    The cases drive in turn: `drivers` of them the first picture, the next ones the second.
    """
    trials = []
    for k, video in enumerate(pictures):
        start = k * drivers % len(cases)
        gallery = ((store.clips_of(video)[0], 0),)
        trials += _driven(store, video, gallery, [*cases[start:], *cases[:start]], drivers)
    return trials


def _driven(
    store: Store, video: int, gallery: Refs, others: Sequence[Case], drivers: int
) -> list[Trial]:
    """The person of `video`, driven by each of the first `drivers` cases of other people."""
    person, name = store.videos[video]
    strangers = [one for one in others if store.videos[one.video][0] != person]
    if len(strangers) < drivers:
        raise HeadmimeError(
            f"{store.folder} has {len(strangers)} videos of other people to drive {person}, "
            f"fewer than drivers={drivers}."
        )
    trials = []
    for one in strangers[:drivers]:
        driver, its_video = store.videos[one.video]
        trials.append(
            Trial(
                name=f"{person}/{name} by {driver}/{its_video}",
                person=person,
                gallery=gallery,
                driving=one.held_out,
                truth=None,
                driver=driver,
                driver_gallery=one.sources,
            )
        )
    return trials


def truth_trials(store: Store, cases: Sequence[CrossCase], sources: int, n: int) -> list[Trial]:
    """Every pair of sitters with ground truth: the first `sources` frames of the person's own
    video, and `n` frames of the driver's, evenly spaced.
    """
    own = {case.source_video: case.sources[:sources] for case in cases}
    trials = []
    for case in cases:
        count = len(case.driving)
        chosen = np.unique(np.linspace(0, count - 1, min(n, count)).round().astype(int))
        person, driver = store.videos[case.source_video][0], store.videos[case.driving_video][0]
        trials.append(
            Trial(
                name=f"{person} by {driver}",
                person=person,
                gallery=own[case.source_video],
                driving=tuple(case.driving[k] for k in chosen),
                truth=tuple(case.truth[k] for k in chosen),
                driver=driver,
                driver_gallery=own[case.driving_video],
            )
        )
    return trials


def load_frames(store: Store, frames: Refs, size: int) -> np.ndarray:
    """The frames, uint8 [n, size, size, 3]; larger ones are averaged over areas."""
    return resize_all(np.stack([store.frame(clip, t) for clip, t in frames]), size)


def load_landmarks(store: Store, frames: Refs) -> np.ndarray:
    """Their landmarks, float32 [n, 68, 2] in crop coordinates."""
    return np.stack([store.landmarks_at(clip, t) for clip, t in frames])


def driving_landmarks(store: Store, trial: Trial, sources: np.ndarray, motion: str) -> np.ndarray:
    """The landmarks that the animator is asked for, [n, 68, 2].

    `motion` "absolute": the driving's own; "relative": its changes on the most neutral of the
    source landmarks [T, 68, 2]; "own": those of the true frames (no identity gap).
    """
    if motion == "own":
        if trial.truth is None:
            raise HeadmimeError("motion=own needs true frames: mode=truth (or mode=self).")
        return load_landmarks(store, trial.truth)
    return fit_landmarks(
        load_landmarks(store, trial.driving), sources[neutral_frame(sources)], motion
    )


def resize_all(pictures: np.ndarray, size: int) -> np.ndarray:
    """Pictures uint8 [n, S, S, 3] at another size: areas averaged, or enlarged (cubic)."""
    return pictures if pictures.shape[1] == size else np.stack([resize(p, size) for p in pictures])
