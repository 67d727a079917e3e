"""Evaluation protocol: source and held-out frames, the same for every method.

The paper's protocol (section 4): 50 test videos with 32 held-out frames each, and T other frames
for fine-tuning. Sitters also provide cross-reenactment with ground truth.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headmime.data.store import Store
from headmime.errors import HeadmimeError

FORMAT, VERSION = "headmime protocol", 1
CROSS_SPLIT = "cross"
OWN, AS = "own", "as-"  # names of its videos: the person's motion; prefix: another person's motion

Frame = tuple[int, int]  # (clip, t) of the store


@dataclass(frozen=True)
class Case:
    """Frames of a test video. Methods with T frames use the first T sources (nested sets)."""

    video: int
    sources: tuple[Frame, ...]
    held_out: tuple[Frame, ...]


@dataclass(frozen=True)
class Protocol:
    """Cases of a store (identified by its hash).

    left_out: "person/video" -> reason, for the split's other videos.
    """

    store: str
    split: str
    seed: int
    cases: tuple[Case, ...]
    left_out: dict[str, str]

    def to_json(self, store: Store) -> str:
        """JSON with the store's names, for readers; seed and store reproduce the protocol."""
        cases = []
        for case in self.cases:
            person, video = store.videos[case.video]
            frames = {
                name: [[store.clip(clip).clip, t] for clip, t in getattr(case, name)]
                for name in ("sources", "held_out")
            }
            cases.append({"person": person, "video": video, **frames})
        content = {
            "format": FORMAT,
            "version": VERSION,
            "store": self.store,
            "split": self.split,
            "seed": self.seed,
            "left_out": self.left_out,
            "cases": cases,
        }
        return json.dumps(content, indent=1) + "\n"


def sample_cases(
    store: Store,
    *,
    split: str = "test",
    videos: int = 50,
    held_out: int = 32,
    sources: int = 32,
    seed: int = 0,
) -> Protocol:
    """Sample the cases: a function of the seed and the names and lengths of the store's clips.

    Chooses videos of as many different people as possible. Held-out frames come from other clips
    than the sources if the video has enough clips, else from the other end of the video, so that
    they are not adjacent to sources. Returns fewer cases if fewer videos have held_out + sources
    frames; HeadmimeError if none has.
    """
    cases, left_out = [], {}
    for video in _shuffle_videos(store, split, seed):
        person, name = store.videos[video]
        frames = store.frame_starts[store.video_starts[[video, video + 1]]]
        count = int(frames[1] - frames[0])
        if len(cases) == videos:
            left_out[f"{person}/{name}"] = f"{videos} videos were drawn without it"
        elif count < held_out + sources:
            left_out[f"{person}/{name}"] = f"{count} frames, not {held_out} + {sources}"
        else:
            random = np.random.default_rng(_hash_names(seed, person, name))
            cases.append(_sample_case(store, video, held_out, sources, random))
    if not cases:
        raise HeadmimeError(
            f"No video of the split {split!r} in {store.folder} has {held_out} held-out and "
            f"{sources} source frames: ask for fewer, or for another split."
        )
    return Protocol(store.hash, split, seed, tuple(cases), left_out)


def single_image_videos(store: Store, split: str) -> list[int]:
    """Numbers of the split's videos with a single frame, such as portraits."""
    frames = np.diff(store.frame_starts[store.video_starts])
    return [int(video) for video in store.videos_in(split) if frames[video] == 1]


@dataclass(frozen=True)
class CrossCase:
    """A sitter driven by another, with ground truth: frame t of `truth` has frame t of `driving`'s
    motion.

    sources: all frames of the sitter's own video in random order, the same for all drivers.
    """

    source_video: int
    driving_video: int
    truth_video: int
    sources: tuple[Frame, ...]
    driving: tuple[Frame, ...]
    truth: tuple[Frame, ...]


def cross_cases(store: Store, seed: int = 0) -> list[CrossCase]:
    """All pairs of the split "cross" in the store's order; HeadmimeError if there are none."""
    numbers = {store.videos[video]: video for video in store.videos_in(CROSS_SPLIT)}
    cases = []
    for (person, name), truth in numbers.items():
        if not name.startswith(AS):
            continue
        try:
            own, driving = numbers[person, OWN], numbers[name.removeprefix(AS), OWN]
        except KeyError as missing:
            person, name = missing.args[0]
            raise HeadmimeError(
                f"{store.folder} lacks the video {person}/{name} of its split {CROSS_SPLIT!r}: "
                "make the store again."
            ) from None
        frames = _frames(store, store.clips_of(own))
        order = np.random.default_rng(_hash_names(seed, person, OWN)).permutation(len(frames))
        cases.append(
            CrossCase(
                own,
                driving,
                truth,
                tuple(frames[place] for place in order),
                tuple(_frames(store, store.clips_of(driving))),
                tuple(_frames(store, store.clips_of(truth))),
            )
        )
    if not cases:
        raise HeadmimeError(
            f"{store.folder} has no cross-reenactment with truth: render a store with "
            "`headmime data sitters ... cross=20`."
        )
    return cases


def _shuffle_videos(store: Store, split: str, seed: int) -> list[int]:
    """Random order depending on names only; all first videos of people precede second ones."""
    counts: dict[str, int] = {}
    ranks = {}
    names = {int(video): store.videos[video] for video in store.videos_in(split)}
    for video in sorted(names, key=lambda video: _hash_names(seed, *names[video])):
        person, _ = names[video]
        ranks[video] = counts[person] = counts.get(person, -1) + 1
    return sorted(ranks, key=ranks.__getitem__)


def _sample_case(
    store: Store, video: int, held_out: int, sources: int, random: np.random.Generator
) -> Case:
    clips = random.permutation(store.clips_of(video)).tolist()
    lengths = {clip: len(_frames(store, [clip])) for clip in clips}
    test_clips = _clips_to_hold_out(lengths, held_out, sources)
    if test_clips is not None:
        source_pool = _frames(store, [clip for clip in clips if clip not in test_clips])
        test_pool = _frames(store, test_clips)
    else:
        frames = _frames(store, sorted(clips))
        if random.random() < 0.5:
            frames.reverse()
        cut = len(frames) * sources // (held_out + sources)
        source_pool, test_pool = frames[:cut], frames[cut:]
    chosen = random.choice(len(source_pool), sources, replace=False)
    test = random.choice(len(test_pool), held_out, replace=False)
    return Case(
        video,
        tuple(source_pool[k] for k in chosen),
        tuple(sorted(test_pool[k] for k in test)),
    )


def _clips_to_hold_out(
    lengths: dict[int, int], held_out: int, sources: int
) -> tuple[int, ...] | None:
    """Clips with >= `held_out` frames in total, with >= `sources` frames in the others; or None."""
    most = sum(lengths.values()) - sources
    reachable: dict[int, tuple[int, ...]] = {0: ()}  # total frames -> clips
    for clip, length in lengths.items():
        for total, clips in list(reachable.items()):
            if held_out <= total + length <= most:
                return (*clips, clip)
            if total + length <= most:
                reachable.setdefault(total + length, (*clips, clip))
    return None


def _frames(store: Store, clips: Sequence[int]) -> list[Frame]:
    return [
        (int(clip), t)
        for clip in clips
        for t in range(int(store.frame_starts[clip + 1] - store.frame_starts[clip]))
    ]


def _hash_names(seed: int, *names: str) -> int:
    """A random seed from the names, independent of their order in the store."""
    text = "\0".join([str(seed), *names]).encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")
