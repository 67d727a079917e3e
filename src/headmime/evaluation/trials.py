"""Trials of an evaluation: source frames, driving landmarks and true frames."""

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
    """One person animated with one driving sequence.

    `gallery`: all source frames of the person; an animator gets the first T of them. `truth`:
    target frames, one per driving frame, or None. `driver`: the driving person if different, with
    source frames `driver_gallery`.
    """

    name: str
    person: str
    gallery: Refs
    driving: Refs
    truth: Refs | None
    driver: str | None = None
    driver_gallery: Refs = ()


def self_trials(store: Store, cases: Sequence[Case]) -> list[Trial]:
    """Self-reenactment: the held-out frames of every case are driving and truth."""
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
    """Cross-reenactment: every case's person, driven by held-out frames of `drivers` other people.

    The drivers of case k are the next cases (cyclically) of other people, so that all drive about
    equally often.
    """
    trials = []
    for k, case in enumerate(cases):
        others = [*cases[k + 1 :], *cases[:k]]
        trials += _with_drivers(store, case.video, case.sources, others, drivers)
    return trials


def portrait_trials(
    store: Store, videos: Sequence[int], cases: Sequence[Case], drivers: int
) -> list[Trial]:
    """Every single-frame video, driven by the held-out frames of `drivers` people's cases.

    Cases are used cyclically: the first `drivers` for the first image, the next ones for the
    second.
    """
    trials = []
    for k, video in enumerate(videos):
        start = k * drivers % len(cases)
        gallery = ((store.clips_of(video)[0], 0),)
        trials += _with_drivers(store, video, gallery, [*cases[start:], *cases[:start]], drivers)
    return trials


def _with_drivers(
    store: Store, video: int, gallery: Refs, others: Sequence[Case], drivers: int
) -> list[Trial]:
    """Trials of the person of `video` with each of the first `drivers` cases of other people."""
    person, name = store.videos[video]
    candidates = [one for one in others if store.videos[one.video][0] != person]
    if len(candidates) < drivers:
        raise HeadmimeError(
            f"{store.folder} has {len(candidates)} videos of other people to drive {person}, "
            f"fewer than drivers={drivers}."
        )
    trials = []
    for one in candidates[:drivers]:
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
    """Pairs of sitters with ground truth: the first `sources` frames of the person's own video, and
    `n` evenly spaced frames of the driver's.
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
    """Load frames as uint8 [n, size, size, 3] (area average when shrinking)."""
    return resize_all(np.stack([store.frame(clip, t) for clip, t in frames]), size)


def load_landmarks(store: Store, frames: Refs) -> np.ndarray:
    """Load landmarks as float32 [n, 68, 2] in crop coordinates."""
    return np.stack([store.landmarks_at(clip, t) for clip, t in frames])


def driving_landmarks(store: Store, trial: Trial, sources: np.ndarray, motion: str) -> np.ndarray:
    """Return the target landmarks for the animator, [n, 68, 2].

    `motion` "absolute": those of the driving frames; "relative": their changes, applied to the most
    neutral of the source landmarks [T, 68, 2]; "own": those of the true frames (no identity gap).
    """
    if motion == "own":
        if trial.truth is None:
            raise HeadmimeError("motion=own needs true frames: mode=truth (or mode=self).")
        return load_landmarks(store, trial.truth)
    return fit_landmarks(
        load_landmarks(store, trial.driving), sources[neutral_frame(sources)], motion
    )


def resize_all(images: np.ndarray, size: int) -> np.ndarray:
    """Resize images uint8 [n, S, S, 3] (area average down, cubic up)."""
    return images if images.shape[1] == size else np.stack([resize(one, size) for one in images])
