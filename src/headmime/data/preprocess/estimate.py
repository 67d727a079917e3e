"""How large and how long, from a sample, before anyone starts."""

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from headmime.data.open_shards import FRAME_ROW
from headmime.data.preprocess.clips import Recipe, read_source
from headmime.data.preprocess.sources import Source
from headmime.data.shards import encode
from headmime.errors import HeadmimeError
from headmime.landmarks.detect import Detector


@dataclass(frozen=True)
class Estimate:
    """Means per file, those that would be refused included. seconds: of one process."""

    sampled: int
    refused: int
    looked_at: float
    frames: float
    bytes: float
    seconds: float


def estimate(
    root: Path,
    sources: list[Source],
    recipe: Recipe,
    detector: Detector,
    sample: int,
    on_files: Callable[[int, int], None],
) -> Estimate:
    """Do the work for `sample` of the files, always the same ones, and keep nothing."""
    if not sources:
        raise HeadmimeError(f"root={root} holds no file of the data set's layout.")
    cv2.setNumThreads(1)
    chosen = sorted(sources, key=_number)[:sample]
    refused, totals = 0, np.zeros(3)
    begun = time.perf_counter()
    for done, source in enumerate(chosen, 1):
        sizes, looked_at = _do(root, source, recipe, detector)
        totals += (looked_at, len(sizes), sum(sizes) + len(sizes) * FRAME_ROW.itemsize)
        refused += not sizes
        on_files(done, len(chosen))
    seconds = time.perf_counter() - begun
    return Estimate(len(chosen), refused, *(totals / len(chosen)).tolist(), seconds / len(chosen))


def _do(root: Path, source: Source, recipe: Recipe, detector: Detector) -> tuple[list[int], int]:
    """The bytes of every picture that would be stored, and how many frames were looked at."""
    sizes = []
    clips = read_source(root, source, recipe, detector)
    while True:
        try:
            clip = next(clips)
        except StopIteration as stop:
            return sizes, stop.value.looked_at
        sizes += [len(encode(picture, recipe.quality)) for picture in clip.frames]


def _number(source: Source) -> bytes:
    return hashlib.sha256(os.fsencode(source.file)).digest()
