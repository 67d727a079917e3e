"""Which frames are sources and which are held out: drawn once, the same for every method.

The paper's protocol (section 4): 50 test videos, 32 held-out frames of each, and T fine-tuning
frames that are none of them. Sitters add what real data cannot have: cross-reenactment with truth.
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
OWN, AS = "own", "as-"  # names of its videos: own motion, and motion as another person's own

Frame = tuple[int, int]  # (clip, t) of the store


@dataclass(frozen=True)
class Case:
    """A test video's frames. A row of T frames takes the first T sources: 1 is among 8 among 32."""

    video: int
    sources: tuple[Frame, ...]
    held_out: tuple[Frame, ...]


@dataclass(frozen=True)
class Protocol:
    """Cases of a store (its `hash`), and why other videos of the split are not among them.

    left_out: "person/video" -> reason.
    """

    store: str
    split: str
    seed: int
    cases: tuple[Case, ...]
    left_out: dict[str, str]

    def to_json(self, store: Store) -> str:
        """Everything by its name in the store, for people: seed and store draw it again."""
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
    """Draw the cases: a function of the seed and of the names and lengths of the store's clips.

    Videos of as many different people as possible. Held-out frames come from other clips than the
    sources where the video has enough of them, else from the other end of its frames, so that they
    are not neighbours of a source. Fewer cases if fewer videos have held_out + sources frames;
    HeadmimeError if none has.
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
            random = np.random.default_rng(_key(seed, person, name))
            cases.append(_case(store, video, held_out, sources, random))
    if not cases:
        raise HeadmimeError(
            f"No video of the split {split!r} in {store.folder} has {held_out} held-out and "
            f"{sources} source frames: ask for fewer, or for another split."
        )
    return Protocol(store.hash, split, seed, tuple(cases), left_out)


def single_image_videos(store: Store, split: str) -> list[int]:
    """The videos of a split that are one frame, such as portraits."""
    frames = np.diff(store.frame_starts[store.video_starts])
    return [int(video) for video in store.videos_in(split) if frames[video] == 1]


@dataclass(frozen=True)
class CrossCase:
    """A sitter driven by another one, and the truth: frame t of `truth` is frame t of `driving`.

    sources: all frames of the sitter's own video, in a drawn order, the same for all drivers.
    """

    source_video: int
    driving_video: int
    truth_video: int
    sources: tuple[Frame, ...]
    driving: tuple[Frame, ...]
    truth: tuple[Frame, ...]


def cross_cases(store: Store, seed: int = 0) -> list[CrossCase]:
    """All pairs of the split "cross", in the store's order; HeadmimeError if it has none."""
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
        order = np.random.default_rng(_key(seed, person, OWN)).permutation(len(frames))
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
    """Every person's first video before anybody's second, otherwise at random, by names alone."""
    seen: dict[str, int] = {}
    ranks = {}
    names = {int(video): store.videos[video] for video in store.videos_in(split)}
    for video in sorted(names, key=lambda video: _key(seed, *names[video])):
        person, _ = names[video]
        ranks[video] = seen[person] = seen.get(person, -1) + 1
    return sorted(ranks, key=ranks.__getitem__)


def _case(
    store: Store, video: int, held_out: int, sources: int, random: np.random.Generator
) -> Case:
    clips = random.permutation(store.clips_of(video)).tolist()
    lengths = {clip: len(_frames(store, [clip])) for clip in clips}
    aside = _clips_to_hold_out(lengths, held_out, sources)
    if aside is not None:
        kept = _frames(store, [clip for clip in clips if clip not in aside])
        apart = _frames(store, aside)
    else:
        frames = _frames(store, sorted(clips))
        if random.random() < 0.5:
            frames.reverse()
        cut = len(frames) * sources // (held_out + sources)
        kept, apart = frames[:cut], frames[cut:]
    return Case(
        video,
        tuple(kept[k] for k in random.choice(len(kept), sources, replace=False)),
        tuple(sorted(apart[k] for k in random.choice(len(apart), held_out, replace=False))),
    )


def _clips_to_hold_out(
    lengths: dict[int, int], held_out: int, sources: int
) -> tuple[int, ...] | None:
    """Clips with at least `held_out` frames in all that leave at least `sources` to the others."""
    most = sum(lengths.values()) - sources
    reachable: dict[int, tuple[int, ...]] = {0: ()}  # frames in all -> these clips
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


def _key(seed: int, *names: str) -> int:
    """A number that depends on the names, not on where they stand in a list."""
    text = "\0".join([str(seed), *names]).encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")
