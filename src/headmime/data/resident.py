"""Episodes from frames held on the device: each frame is decoded and drawn once, so that training
needs no decoding and no transfers.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from headmime.data.store import Store
from headmime.errors import HeadmimeError
from headmime.landmarks.closeups import closeup_strips
from headmime.landmarks.drawing import draw_landmarks_into
from headmime.landmarks.points import mirror_landmarks

log = logging.getLogger(__name__)
SHARE = 0.5  # of the device's free memory: the rest is for training
PARTS = 64  # of the clips, for the threads that decode them


class _Frames(NamedTuple):
    """The n frames of a store at side S; m = 2 with mirrored drawings, else 1. Drawings of mirrored
    landmarks differ from mirrored drawings in the last bit.
    """

    images: Tensor  # uint8 [n, S, S, 3]
    drawings: Tensor  # uint8 [m, n, S, S, 3]
    strips: Tensor  # float32 [m, n, 2, 2, 3]


class ResidentFrames:
    """The frames of `store` on the device of the first batch, at the side of the current batch; a
    new side reloads them.

    size: the largest side, for which memory is checked. mirrored: whether episodes can be mirrored.
    """

    def __init__(self, store: Store, size: int, mirrored: bool) -> None:
        self.store, self.size, self.ways = store, size, 1 + mirrored
        self._frames: _Frames | None = None

    def batch(self, drawn: Mapping[str, Any]) -> dict[str, Tensor]:
        """The batch of `EpisodeDataset.batch`, bit for bit, from the indices `drawn` of
        `EpisodeDataset.sample`; on the device of `drawn`, without synchronisation.
        """
        frames, mirrored, side = drawn["frames"], drawn["mirrored"], drawn["side"]
        images, drawings, maps = self._at(side, frames.device)
        x = images[frames]  # [B, K + 1, S, S, 3]
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
        if self._frames is None or self._frames.images.shape[1] != side:
            self._frames = None  # frees its memory
            self._frames = self._read(side, device)
        return self._frames

    def bytes(self, side: int) -> int:
        """Device memory of the frames."""
        return int(self.store.frame_starts[-1]) * side * side * 3 * (1 + self.ways)

    def _check(self, device: torch.device) -> None:
        """Raise HeadmimeError unless the frames fit in SHARE of the free memory."""
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
            "Loading %s frames of %s pixels to %s, %.1f GiB",
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

        def load_clips(clips: Sequence[int]) -> None:
            store = Store(self.store.folder)  # per thread: open files are not thread-safe
            for clip in clips:
                _load_clip(store, int(clip), frames)

        with ThreadPoolExecutor() as threads:
            list(threads.map(load_clips, np.array_split(np.arange(self.store.n), PARTS)))
        return frames


def _load_clip(store: Store, clip: int, frames: _Frames) -> None:
    """Decode and draw the frames of a clip and copy them into `frames`."""
    first, end = store.frame_starts[clip], store.frame_starts[clip + 1]
    images = np.empty((end - first, *frames.images.shape[1:]), np.uint8)
    landmarks = store.read_into(images, [(clip, t) for t in range(end - first)])
    frames.images[first:end] = torch.from_numpy(images)
    for way in range(len(frames.drawings)):
        points = np.ascontiguousarray(mirror_landmarks(landmarks)) if way else landmarks
        draw_landmarks_into(images, points)
        frames.drawings[way, first:end] = torch.from_numpy(images)
        frames.strips[way, first:end] = torch.from_numpy(closeup_strips(points))
