"""Pictures stand where the heads say, unchanged where their size fits."""

import numpy as np

from headmime.evaluation.plots.sheet import GAP, SheetRow, draw_sheet, join_sheets

TILE = 40


def flat(value: int, side: int = TILE) -> np.ndarray:
    return np.full((side, side, 3), value, np.uint8)


def test_every_picture_is_on_the_sheet_once_in_its_order() -> None:
    page = draw_sheet(
        ["a", "b", "c"], [SheetRow([flat(1), flat(2), None]), SheetRow([flat(3)] * 3)], TILE
    )
    assert page.shape[1] == 3 * (TILE + GAP)
    assert [int((page == value).all(-1).sum()) for value in (1, 2, 3)] == [1600, 1600, 4800]
    first, second = (np.argwhere((page == value).all(-1)).min(0) for value in (1, 2))
    assert first[0] == second[0] and second[1] - first[1] == TILE + GAP


def test_labels_and_notes_take_room_of_their_own() -> None:
    plain = draw_sheet(["a"], [SheetRow([flat(10)])], TILE)
    told = draw_sheet(["a"], [SheetRow([flat(10)], label="T = 8", note="ssim 0.5")], TILE)
    assert told.shape[0] > plain.shape[0] and told.shape[1] > plain.shape[1]
    assert (told == 10).all(-1).sum() == TILE * TILE


def test_long_words_are_made_to_fit() -> None:
    short = draw_sheet(["a"], [SheetRow([flat(0)], note="a")], TILE)
    long = draw_sheet(["a head " * 30], [SheetRow([flat(0)], label="", note="note " * 90)], TILE)
    assert long.shape == short.shape


def test_small_pictures_are_enlarged_and_large_ones_averaged() -> None:
    page = draw_sheet(["a", "b"], [SheetRow([flat(10, 8), flat(20, 200)])], TILE)
    assert (page == 10).all(-1).sum() == (page == 20).all(-1).sum() == TILE * TILE


def test_sheets_stand_beside_each_other() -> None:
    both = join_sheets([flat(1, 10), flat(2, 30)], gap=5)
    assert both.shape == (30, 45, 3)
    assert (both[:10, :10] == 1).all() and (both[:, 15:] == 2).all()
    assert (both[10:, :10] == 255).all() and (both[:, 10:15] == 255).all()
