"""Numbers and pictures of a store whose content is known."""

from pathlib import Path

import numpy as np

from headmime.data.store import Store
from headmime.data.summary import COLUMNS, TILE, contact_sheet, histogram, summarise


def test_counts(store_folder: Path):
    """8 persons (one for tests) of 2 videos of 2 clips of 4 frames."""
    summary = summarise(Store(store_folder))
    assert summary.splits == {"test": (1, 2, 4, 16), "train": (7, 14, 28, 112)}
    assert (summary.size, summary.detector) == (16, "dlib")
    np.testing.assert_array_equal(summary.frames, np.full(16, 8))
    np.testing.assert_array_equal(summary.scores, np.full(32, 0.5, np.float32))
    assert summary.turns.shape == (128,)
    files = (path for path in store_folder.rglob("*") if path.is_file())
    assert summary.bytes == sum(len(path.read_bytes()) for path in files)


def test_histogram():
    lines = list(histogram(np.array([0, 0, 0, 0, 1, 2]), bins=3, width=8))
    assert [line.split()[-2:] for line in lines] == [["########", "4"], ["##", "1"], ["##", "1"]]
    assert len(list(histogram(np.full(5, 0.5)))) == 1


def test_contact_sheet(store_folder: Path):
    """Red is the person: each video's picture is where it should be, its drawing at its side."""
    sheet = contact_sheet(Store(store_folder))
    rows = -(-16 // COLUMNS)
    assert sheet.shape == (rows * TILE, COLUMNS * 2 * TILE, 3) and sheet.dtype == np.uint8
    for video in range(16):
        row, column = divmod(video, COLUMNS)
        tile = sheet[row * TILE :, column * 2 * TILE :][:TILE, : 2 * TILE]
        assert abs(tile[:, :TILE, 0].mean() - 20 * (video // 2)) < 4
        assert tile[:, TILE:].max() > 200
