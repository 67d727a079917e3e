"""A new shot is told from motion, light and a jump of the frame."""

import numpy as np
import pytest

from headmime.data.pictures import read_picture
from headmime.data.preprocess.cuts import CutFinder


@pytest.fixture(scope="module")
def lady(mona_lisa) -> np.ndarray:
    return read_picture(mona_lisa)[:240, :240]


def cuts(*pictures: np.ndarray) -> list[bool]:
    find = CutFinder()
    return [find(picture) for picture in pictures]


def test_one_shot(lady: np.ndarray):
    moved, brighter = np.roll(lady, 40, 1), np.clip(lady * 1.1, 0, 255).astype(np.uint8)
    assert cuts(lady, lady, moved, lady, brighter) == [False] * 5


def test_another_shot(lady: np.ndarray):
    sky = np.full_like(lady, (180, 200, 240))
    sky[150:] = (40, 90, 40)
    assert cuts(lady, lady, sky, sky, lady) == [False, False, True, False, True]


def test_sizes_may_differ(lady: np.ndarray):
    assert cuts(lady, lady[::2, ::2]) == [False, False]
