"""Sampling of triplets: one frame to generate and two real ones of the same person."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from headmime.data.protocol import Case
from headmime.data.store import Store

Frame = tuple[int, int]
"""(clip, t) of a store."""


@dataclass(frozen=True)
class TripletFrames:
    """Frames of a triplet. `driving`: its landmarks drive the generated image."""

    case: int
    driving: Frame
    real: tuple[Frame, Frame]
    sequences: str  # one of study.SEQUENCES


def sample_triplets(
    store: Store, cases: Sequence[Case], count: int, seed: int
) -> tuple[list[TripletFrames], dict[int, str]]:
    """Sample `count` triplets, cycling through the cases; no frame is reused, sources are excluded.

    The three images come from three videos of the person if possible, else from three clips, else
    from three thirds of the remaining frames. Fewer triplets are returned if frames run out. Also
    returns case -> reason why it has no triplet.
    """
    rng = np.random.default_rng(seed)
    videos: defaultdict[str, list[int]] = defaultdict(list)
    for number, (person, _) in enumerate(store.videos):
        videos[person].append(number)
    used: defaultdict[str, set[Frame]] = defaultdict(set)
    for case in cases:
        used[store.videos[case.video][0]] |= set(case.sources)
    samples: list[TripletFrames] = []
    left_out: dict[int, str] = {}
    active = list(range(len(cases)))
    while active and len(samples) < count:
        for index in active[: count - len(samples)]:
            person = store.videos[cases[index].video][0]
            sample = _sample(store, index, cases[index], videos[person], used[person], rng)
            if sample is None:
                active.remove(index)
                if all(earlier.case != index for earlier in samples):
                    left_out[index] = "fewer than three frames are left beside the sources"
            else:
                used[person] |= {sample.driving, *sample.real}
                samples.append(sample)
    return samples, left_out


def _sample(
    store: Store,
    index: int,
    case: Case,
    videos: list[int],
    used: set[Frame],
    rng: np.random.Generator,
) -> TripletFrames | None:
    held_out = [frame for frame in case.held_out if frame not in used]
    if not held_out:
        return None
    driving = _any(held_out, rng)
    free: dict[int, list[Frame]] = {}
    for clip in chain.from_iterable(map(store.clips_of, videos)):
        frames = range(store.frame_starts[clip + 1] - store.frame_starts[clip])
        free[clip] = [(clip, t) for t in frames if (clip, t) not in used]
    other_videos = [
        [frame for clip in store.clips_of(video) for frame in free[clip]]
        for video in videos
        if video != case.video
    ]
    other_clips = [frames for clip, frames in free.items() if clip != driving[0]]
    for kind, groups in (("videos", other_videos), ("clips", other_clips)):
        groups = [group for group in groups if group]
        if len(groups) >= 2:
            one, two = rng.choice(len(groups), 2, replace=False)
            real = _any(groups[one], rng), _any(groups[two], rng)
            return TripletFrames(index, driving, real, kind)
    every = sorted(frame for frames in free.values() for frame in frames)
    if len(every) < 3:
        return None
    thirds = [[every[place] for place in part] for part in np.array_split(range(len(every)), 3)]
    one, two = (third for third in thirds if driving not in third)
    return TripletFrames(index, driving, (_any(one, rng), _any(two, rng)), "moments")


def _any(frames: Sequence[Frame], rng: np.random.Generator) -> Frame:
    return frames[int(rng.integers(len(frames)))]
