"""Episodes: K source frames and a target frame of one video, sampled for every episode."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from headmime.data.store import Store
from headmime.errors import HeadmimeError
from headmime.landmarks.closeups import closeup_strips
from headmime.landmarks.drawing import draw_landmarks_into
from headmime.landmarks.points import mirror_landmarks

log = logging.getLogger(__name__)


class EpisodeDataset(Dataset):
    """`dataset[n]` is global episode number n, for any n >= 0: a pure function of (seed, n).

    Each epoch of `len(dataset)` episodes visits every video of the split once, in its own random
    order. An episode has K + 1 different frames from all clips of its video. Videos with fewer
    frames are skipped, without changing the rows of the others. A share `mirror` of the episodes is
    mirrored (images, drawings and strips), with the same row of W.

    Items: x_s, y_s [K, 3, size, size] and x_t, y_t [3, size, size], float32 in [-1, 1]: source and
    target frames and their landmark drawings; strips_t [2, 2, 3]: the target's eyes and mouth
    (`headmime.landmarks.closeups`); row: the video's row of W; episode: n (int64).
    """

    def __init__(
        self,
        store: Store | Path | str,
        sources: int,
        size: int,
        seed: int,
        split: str = "train",
        mirror: float = 0.0,
    ) -> None:
        self.store = store if isinstance(store, Store) else Store(store)
        self.sources, self.size, self.seed, self.mirror = sources, size, seed, mirror
        if not 0 <= mirror <= 1:
            raise HeadmimeError(f"mirror={mirror} is a probability: it must lie between 0 and 1.")
        if size > self.store.size:
            raise HeadmimeError(
                f"{self.store.folder} holds frames of {self.store.size} pixels, fewer than the "
                f"{size} asked for: make a larger store or a smaller model."
            )
        self.videos = self.store.videos_in(split)
        if not len(self.videos):
            raise HeadmimeError(f"{self.store.folder} has no videos in its split {split!r}.")
        self._frames = self.store.frame_starts[self.store.video_starts]  # [videos + 1]
        enough = np.diff(self._frames)[self.videos] > sources
        if not enough.any():
            raise HeadmimeError(
                f"No video of the split {split!r} in {self.store.folder} has the {sources + 1} "
                f"frames of an episode of {sources} sources and a target: use fewer sources."
            )
        if short := np.count_nonzero(~enough):
            log.warning(
                "%d of %d videos of the split %r have fewer than %d frames and are skipped.",
                short,
                len(enough),
                split,
                sources + 1,
            )
        self.videos = self.videos[enough]
        self._order: tuple[int, np.ndarray] = (-1, self.videos)

    def __len__(self) -> int:
        return len(self.videos)

    def __getitem__(self, n: int) -> dict[str, Tensor]:
        return {name: value[0] for name, value in to_floats(self.batch([n])).items()}

    def batch(self, numbers: Sequence[int], size: int | None = None) -> dict[str, Tensor]:
        """Stack several episodes, with images and drawings as uint8 in 0..255, of `size` pixels
        (default: the dataset's).

        uint8 takes a quarter of the memory. Images keep the decoder's channels-last memory format,
        without a copy (see `to_floats`).
        """
        B, K, S = len(numbers), self.sources, size or self.size
        x_s, y_s = np.empty((2, B, K, S, S, 3), np.uint8)
        x_t, y_t = np.empty((2, B, S, S, 3), np.uint8)
        rows = np.empty(B, np.int64)
        landmarks = np.empty((B, K + 1, 68, 2), np.float32)
        for b, n in enumerate(numbers):
            rows[b], frames = self.frames_of(n)
            landmarks[b] = self.store.read_into([*x_s[b], x_t[b]], frames)
            if self.is_mirrored(n):
                landmarks[b] = mirror_landmarks(landmarks[b])
                x_s[b], x_t[b] = x_s[b, :, :, ::-1], x_t[b, :, ::-1]
        # Decode all, then draw all: alternating would evict each other's data from the caches.
        drawings = [image for b in range(B) for image in (*y_s[b], y_t[b])]
        draw_landmarks_into(drawings, landmarks.reshape(-1, 68, 2))
        images = {"x_s": x_s, "y_s": y_s, "x_t": x_t, "y_t": y_t}
        return {
            **{name: torch.from_numpy(value).movedim(-1, -3) for name, value in images.items()},
            "strips_t": torch.from_numpy(closeup_strips(landmarks[:, -1])),
            "row": torch.from_numpy(rows),
            "episode": torch.tensor(numbers),
        }

    def sample(self, numbers: Sequence[int], size: int | None = None) -> dict[str, Tensor | int]:
        """The indices of :meth:`batch` without images (for `resident.py`): frames [B, K + 1],
        global frame numbers in the store, the target last; mirrored [B]; row and episode [B]; side
        of the images.
        """
        rows, frames = zip(*map(self._sample_frames, numbers), strict=True)
        return {
            "frames": torch.from_numpy(np.stack(frames)),
            "mirrored": torch.tensor([self.is_mirrored(n) for n in numbers]),
            "row": torch.tensor(rows),
            "episode": torch.tensor(numbers),
            "side": size or self.size,
        }

    def frames_of(self, n: int) -> tuple[int, list[tuple[int, int]]]:
        """Video and K + 1 frames (clip, t) of episode n, the target last."""
        video, chosen = self._sample_frames(n)
        clips = np.searchsorted(self.store.frame_starts, chosen, side="right") - 1
        times = chosen - self.store.frame_starts[clips]
        return video, list(zip(clips.tolist(), times.tolist(), strict=True))

    def _sample_frames(self, n: int) -> tuple[int, np.ndarray]:
        """Video and K + 1 global frame numbers of episode n."""
        epoch, place = divmod(n, len(self))
        video = int(self._order_of(epoch)[place])
        first, end = self._frames[video], self._frames[video + 1]
        random = np.random.default_rng((self.seed, n))
        return video, first + random.choice(end - first, self.sources + 1, replace=False)

    def is_mirrored(self, n: int) -> bool:
        """Whether episode n is mirrored; has its own random numbers, independent of the frames."""
        return self.mirror > 0 and np.random.default_rng((self.seed, n, 2)).random() < self.mirror

    def _order_of(self, epoch: int) -> np.ndarray:
        if self._order[0] != epoch:
            random = np.random.default_rng((self.seed, epoch, 1))
            self._order = epoch, random.permutation(self.videos)
        return self._order[1]


class EpisodeSampler(Sampler[list[int]]):
    """Batches of global episode numbers: each step takes the next `batch * ranks` numbers.

    Rank r takes the r-th `batch` numbers of a step. One pass has `len(sampler)` batches, about
    `length` episodes, beginning at `start`; set `start` to the end of the last pass to skip none.
    Any `start` is valid, so a run resumes exactly.
    """

    def __init__(
        self, length: int, batch: int, start: int = 0, rank: int = 0, ranks: int = 1
    ) -> None:
        self.length, self.batch, self.start = length, batch, start
        self.rank, self.ranks = rank, ranks

    def __len__(self) -> int:
        return max(1, self.length // (self.batch * self.ranks))

    def __iter__(self) -> Iterator[list[int]]:
        first = self.start + self.rank * self.batch
        for step in range(len(self)):
            n = first + step * self.batch * self.ranks
            yield list(range(n, n + self.batch))

    def after(self, numbers: Tensor) -> int:
        """The `start` after the step in which this rank had these numbers [batch]."""
        return int(numbers[0]) + (self.ranks - self.rank) * self.batch


def to_floats(episodes: dict[str, Tensor]) -> dict[str, Tensor]:
    """Convert the uint8 tensors of a batch to contiguous float32 in [-1, 1]."""
    return {
        name: value.contiguous().float().div_(127.5).sub_(1.0)
        if value.dtype == torch.uint8
        else value
        for name, value in episodes.items()
    }
