"""Episodes of a store that fits the device: every frame is decoded and drawn once and stays there,
so that training waits for no decoder and no copy.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from headmime.data.mirror import mirror_landmarks
from headmime.data.store import Store
from headmime.errors import HeadmimeError
from headmime.landmarks.closeups import closeup_strips
from headmime.landmarks.drawing import draw_landmarks_into

log = logging.getLogger(__name__)
SHARE = 0.5  # of the device's free memory: the rest is for training
PARTS = 64  # of the clips, for the threads that decode them


class _Frames(NamedTuple):
    """The n frames of a store at one side S. m = 1; 2: as they are, and in a mirror, whose lines
    are not the mirrored lines to the last bit.
    """

    pictures: Tensor  # uint8 [n, S, S, 3]
    drawings: Tensor  # uint8 [m, n, S, S, 3]
    strips: Tensor  # float32 [m, n, 2, 2, 3]


class ResidentFrames:
    """The frames of `store`, on the device of the first batch that is asked for, at the side of the
    present one; another side replaces them.

    size: the largest side there will be, for which the memory must suffice; mirrored: whether there
    will be mirrored episodes.
    """

    def __init__(self, store: Store, size: int, mirrored: bool) -> None:
        self.store, self.size, self.ways = store, size, 1 + mirrored
        self._frames: _Frames | None = None

    def batch(self, drawn: Mapping[str, Any]) -> dict[str, Tensor]:
        """What `EpisodeDataset.batch` makes, to the last bit, of what `EpisodeDataset.sample` says;
        on the device of `drawn`, without waiting for it.
        """
        frames, mirrored, side = drawn["frames"], drawn["mirrored"], drawn["side"]
        pictures, drawings, maps = self._at(side, frames.device)
        x = pictures[frames]  # [B, K + 1, S, S, 3]
        if self.ways == 2:
            x = torch.where(mirrored.view(-1, 1, 1, 1, 1), x.flip(-2), x)
        way = mirrored.long()
        y = drawings[way[:, None], frames]
        x, y = x.movedim(-1, -3), y.movedim(-1, -3)
        return {
            **{"x_s": x[:, :-1], "y_s": y[:, :-1], "x_t": x[:, -1], "y_t": y[:, -1]},
            "strips_t": maps[way, frames[:, -1]],
            "row": drawn["row"],
            "episode": drawn["episode"],
        }

    def _at(self, side: int, device: torch.device) -> _Frames:
        if self._frames is None:
            self._check(device)
        if self._frames is None or self._frames.pictures.shape[1] != side:
            self._frames = None  # its memory is needed
            self._frames = self._read(side, device)
        return self._frames

    def bytes(self, side: int) -> int:
        """What the frames take on the device."""
        return int(self.store.frame_starts[-1]) * side * side * 3 * (1 + self.ways)

    def _check(self, device: torch.device) -> None:
        """HeadmimeError unless the frames leave room for training."""
        if device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
        else:
            free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        if (needed := self.bytes(self.size)) > SHARE * free:
            raise HeadmimeError(
                f"frames_on_device=true: the frames of {self.store.folder} at {self.size} pixels "
                f"take {needed / 2**30:.1f} GiB, more than half of the {free / 2**30:.1f} GiB of "
                f"{device}: set frames_on_device=false."
            )

    def _read(self, side: int, device: torch.device) -> _Frames:
        n, m = int(self.store.frame_starts[-1]), self.ways
        log.info(
            "Bringing %s frames of %s pixels to %s, %.1f GiB",
            f"{n:,}",
            side,
            device,
            self.bytes(side) / 2**30,
        )
        frames = _Frames(
            torch.empty(n, side, side, 3, dtype=torch.uint8, device=device),
            torch.empty(m, n, side, side, 3, dtype=torch.uint8, device=device),
            torch.empty(m, n, 2, 2, 3, device=device),
        )

        def bring(clips: Sequence[int]) -> None:
            store = Store(self.store.folder)  # a thread's own: open files are not shared
            for clip in clips:
                _bring(store, int(clip), frames)

        with ThreadPoolExecutor() as threads:
            list(threads.map(bring, np.array_split(np.arange(self.store.n), PARTS)))
        return frames


def _bring(store: Store, clip: int, frames: _Frames) -> None:
    """Decode and draw the frames of one clip, and put them in their places."""
    first, end = store.frame_starts[clip], store.frame_starts[clip + 1]
    pictures = np.empty((end - first, *frames.pictures.shape[1:]), np.uint8)
    landmarks = store.read_into(pictures, [(clip, t) for t in range(end - first)])
    frames.pictures[first:end] = torch.from_numpy(pictures)
    for way in range(len(frames.drawings)):
        seen = np.ascontiguousarray(mirror_landmarks(landmarks)) if way else landmarks
        draw_landmarks_into(pictures, seen)
        frames.drawings[way, first:end] = torch.from_numpy(pictures)
        frames.strips[way, first:end] = torch.from_numpy(closeup_strips(seen))
