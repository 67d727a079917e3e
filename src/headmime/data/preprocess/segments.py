"""Splits a source into clips: one shot, one person, a face in every frame."""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from headmime.landmarks.track import Track, equal_runs, fill_gaps

# Chosen on 90 real clips: the largest distances between adjacent frames of one shot were 0.27
# (colours) and 36 (places: a jump of the crop); between shots of different clips 99 % were above
# 0.41 and 30.
COLOURS, PLACES = 0.33, 18.0

LEAST = 8  # frames: the paper's K; shorter parts are refused
LONGEST = 20.0  # seconds: longer parts become several clips, each with its own crop
SECOND_PERSON = 0.5  # a face of at least this share of the followed one's size is a second person


class CutFinder:
    """Detects shot changes by comparing thumbnails of consecutive images."""

    def __init__(self) -> None:
        self._last: tuple[np.ndarray, np.ndarray] | None = None

    def __call__(self, image: np.ndarray) -> bool:
        """Whether a new shot begins with this image, uint8 RGB [H, W, 3]; False for the first."""
        small = cv2.resize(image, (32, 32), interpolation=cv2.INTER_AREA)
        colours = cv2.calcHist([small], [0, 1, 2], None, [8] * 3, [0, 256] * 3) / 32**2
        last, self._last = self._last, (small.astype(np.float32), colours)
        if last is None:
            return False
        places = float(np.abs(self._last[0] - last[0]).mean())
        return places > PLACES and float(np.abs(self._last[1] - last[1]).sum()) / 2 > COLOURS


@dataclass(frozen=True)
class Parts:
    """pixels: float32 [T, 68, 2], gaps filled. kept: (first, end) of the clips. refused: the rest,
    as (first, end, reason).
    """

    pixels: np.ndarray
    kept: list[tuple[int, int]]
    refused: list[tuple[int, int, str]]


def find_parts(track: Track, times: np.ndarray, cuts: np.ndarray, least: int = LEAST) -> Parts:
    """Split a track of T frames with times float [T] in seconds and shot starts `cuts`, bool [T].
    Parts of fewer than `least` frames are refused.
    """
    pixels = track.pixels.copy()
    kept, refused = [], []
    crowded = _find_crowded(track.others)
    edges = [0, *np.flatnonzero(cuts[1:]) + 1, len(times)]
    for first, end in pairwise(edges):
        pixels[first:end] = fill_gaps(track.pixels[first:end])
        reasons = np.where(np.isnan(pixels[first:end, 0, 0]), "no face", "")
        reasons = np.where(crowded[first:end] & (reasons == ""), "two people", reasons)
        for low, high in equal_runs(reasons):
            reason = str(reasons[low])
            low, high = first + low, first + high
            if not reason and high - low < least:
                reason = f"only {high - low} frames of one person in one shot"
            if reason:
                refused.append((low, high, reason))
            else:
                kept += _split_evenly(low, high, times, least)
    return Parts(pixels, kept, refused)


def _find_crowded(others: np.ndarray) -> np.ndarray:
    """Frames that may show a second person: up to the nearest searches that found only one."""
    searched = np.flatnonzero(~np.isnan(others))
    alone = searched[others[searched] < SECOND_PERSON]
    crowded = np.zeros(len(others), bool)
    for t in searched[others[searched] >= SECOND_PERSON]:
        before, after = alone[alone < t], alone[alone > t]
        first = before[-1] + 1 if len(before) else 0
        crowded[first : after[0] if len(after) else len(others)] = True
    return crowded


def _split_evenly(first: int, end: int, times: np.ndarray, least: int) -> list[tuple[int, int]]:
    """Split frames first..end into equal pieces of at most LONGEST seconds."""
    count = int((times[end - 1] - times[first]) / LONGEST) + 1
    count = min(count, (end - first) // least)
    edges = np.linspace(first, end, count + 1).round().astype(int).tolist()
    return list(pairwise(edges))
