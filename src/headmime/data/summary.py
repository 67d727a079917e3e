"""What is in a store: numbers to print, and a sheet of pictures."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from headmime.data.store import Store
from headmime.images import resize
from headmime.landmarks.draw import draw
from headmime.landmarks.points import head_turn

CLIPS_LOOKED_AT = 2000  # evenly spread, for what has to be read frame by frame
TILE = 128
COLUMNS, ROWS = 6, 8  # of the sheet: a video's picture, with its drawing beside it


@dataclass(frozen=True)
class Summary:
    """Counts, and values for histograms.

    splits: name -> (persons, videos, clips, frames). bytes: of pictures and tables. frames: of each
    video, [videos]. scores: the detector's mean confidence, [clips]. turns: `head_turn` of the
    frames of at most CLIPS_LOOKED_AT clips.
    """

    splits: dict[str, tuple[int, int, int, int]]
    size: int
    detector: str
    hash: str
    bytes: int
    frames: np.ndarray
    scores: np.ndarray
    turns: np.ndarray


def summarise(store: Store) -> Summary:
    """Read the tables of a store, and some of its landmarks."""
    clips = store.clips
    splits = {}
    for split in sorted({clip.split for clip in clips}):
        part = [clip for clip in clips if clip.split == split]
        splits[split] = (
            len({clip.person for clip in part}),
            len({(clip.person, clip.video) for clip in part}),
            len(part),
            sum(clip.frames for clip in part),
        )
    files = [path for path in store.folder.rglob("*") if path.is_file()]
    looked_at = _spread(store.n, CLIPS_LOOKED_AT)
    return Summary(
        splits=splits,
        size=store.size,
        detector=store.detector,
        hash=store.hash,
        bytes=sum(path.stat().st_size for path in files),
        frames=np.diff(store.frame_starts[store.video_starts]),
        scores=np.array([clip.score for clip in clips], np.float32),
        turns=np.concatenate([head_turn(store.landmarks(clip)) for clip in looked_at]),
    )


def histogram(values: np.ndarray, bins: int = 12, width: int = 40) -> Iterator[str]:
    """Lines of text: the range of each bin, a bar, and how many values are in it."""
    counts, edges = np.histogram(values, bins if np.ptp(values) > 0 else 1)
    for count, low, high in zip(counts, edges[:-1], edges[1:], strict=True):
        bar = "#" * int(np.ceil(width * count / counts.max()))
        yield f"{low:9.3f} .. {high:8.3f}  {bar:{width}}  {count:,}"


def contact_sheet(store: Store) -> np.ndarray:
    """A frame and its drawing of videos evenly spread over the store: uint8 RGB [H, W, 3]."""
    tiles = []
    for video in _spread(len(store.videos), COLUMNS * ROWS):
        clip = store.clips_of(video)[0]
        t = store.clip(clip).frames // 2
        picture = resize(store.frame(clip, t), TILE)
        tiles.append(np.concatenate([picture, draw(store.landmarks_at(clip, t), TILE)], 1))
    missing = -len(tiles) % COLUMNS
    tiles += [np.zeros_like(tiles[0])] * missing
    rows = [np.concatenate(tiles[k : k + COLUMNS], 1) for k in range(0, len(tiles), COLUMNS)]
    return np.concatenate(rows)


def _spread(n: int, most: int) -> list[int]:
    """At most `most` of 0..n-1, evenly."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int)).tolist()
