"""The visible label can be read on any background, and touches nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headmime.provenance.marking import add_label

COLOUR = st.tuples(*[st.integers(0, 255)] * 3)


def luminance(colours: np.ndarray) -> np.ndarray:
    """Relative luminance of sRGB colours [..., 3] in 0..255, by WCAG 2."""
    light = colours / 255
    linear = np.where(light <= 0.04045, light / 12.92, ((light + 0.055) / 1.055) ** 2.4)
    return linear @ (0.2126, 0.7152, 0.0722)


@settings(max_examples=40)
@given(colour=COLOUR, size=st.sampled_from([(64, 64), (128, 96), (256, 256)]))
def test_the_letters_stand_out_on_any_colour(
    colour: tuple[int, int, int], size: tuple[int, int]
) -> None:
    """WCAG asks for a contrast of 4.5; white letters on the plate have more on any background."""
    (marked,) = add_label([np.full((*size, 3), colour, np.uint8)])
    corner = luminance(marked[-12:, -50:].astype(float))
    letters, plate = corner.max(), np.median(corner)
    assert (letters + 0.05) / (plate + 0.05) > 4.5


@pytest.mark.parametrize("size", [(256, 256), (1024, 1024), (480, 640), (410, 1300)])
def test_it_is_small_and_the_rest_stays(size: tuple[int, int]) -> None:
    frame = np.random.default_rng(0).integers(0, 255, (*size, 3), np.uint8)
    before = frame.copy()
    (marked,) = add_label([frame])
    assert np.array_equal(frame, before)  # the caller's own frame
    changed = (marked != frame).any(-1)
    assert 0 < changed.mean() < 0.035
    assert not changed[: size[0] * 9 // 10].any()
    assert not changed[:, : size[1] // 2].any()


def test_every_frame_has_the_same_label() -> None:
    frames = [np.full((64, 64, 3), 30, np.uint8)] * 3
    first, *others = add_label(iter(frames))
    assert len(others) == 2
    assert all(np.array_equal(first, other) for other in others)


@pytest.mark.parametrize("size", [(1, 1), (5, 40), (16, 16), (40, 5)])
def test_pictures_too_small_for_words_keep_their_size(size: tuple[int, int]) -> None:
    (marked,) = add_label([np.full((*size, 3), 200, np.uint8)])
    assert marked.shape == (*size, 3)
