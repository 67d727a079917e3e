"""From light to the stored image."""

from dataclasses import replace

import numpy as np
import pytest

from headmime.sitters.develop import develop, h264
from headmime.sitters.studio import random_studio

SIZE = 64


@pytest.fixture(scope="module")
def scene():
    """Three frames of light with edges, twice as fine as the image."""
    rng = np.random.default_rng(0)
    blocks = rng.uniform(0, 1, (3, 8, 8, 3)).astype(np.float32)
    return [np.kron(frame, np.ones((16, 16, 1), np.float32)) for frame in blocks]


def clear(**changes):
    how = random_studio(np.random.default_rng(1)).develop
    plain = {"blur": 0.0, "noise": 0.0, "bloom": 0.0, "vignette": 0.0, "edge": 0.0, "source": 1.0}
    plain |= {"jpeg": 0, "crf": 0, "brush": 0.0, "sharpened": 0.0, "saturation": 1.0}
    return replace(how, **(plain | changes))


def images(scene, how, seed=0):
    return np.stack(list(develop(scene, how, SIZE, np.random.default_rng(seed)))).astype(int)


def test_every_studio_delivers_images(scene):
    for seed in range(40):
        how = random_studio(np.random.default_rng(seed)).develop
        made = list(develop(scene, how, SIZE, np.random.default_rng(0)))
        assert [(image.shape, image.dtype) for image in made] == [((64, 64, 3), np.uint8)] * 3
        assert (np.stack(made) == images(scene, how)).all()


def test_black_and_white(scene):
    grey = {"cast": np.ones(3), "shadows": np.zeros(3), "lights": np.zeros(3)}
    made = images(scene, clear(saturation=0.0, **grey))
    assert np.ptp(made, axis=-1).max() <= 1
    assert np.ptp(made) > 50


def test_small_sources_lose_detail(scene):
    fine, coarse = images(scene, clear()), images(scene, clear(source=0.4))
    assert np.abs(np.diff(coarse, axis=2)).max() < np.abs(np.diff(fine, axis=2)).max()
    assert np.abs(coarse - fine).mean() < 12


def test_h264_keeps_the_order_and_costs_detail(scene):
    frames = [image.astype(np.uint8) for image in images(scene, clear())]
    errors = []
    for crf in (10, 45):
        coded = h264(frames, crf)
        assert len(coded) == 3
        away = np.array([[np.abs(a.astype(int) - b).mean() for b in frames] for a in coded])
        assert (away.argmin(1) == np.arange(3)).all()
        errors.append(np.trace(away))
    assert errors[0] < errors[1]


def test_paint_is_the_same_in_all_frames_and_flattens(scene):
    still = [scene[0] + 0.2 * np.random.default_rng(2).normal(size=scene[0].shape)] * 2
    still = [np.clip(frame, 0, 1).astype(np.float32) for frame in still]
    one, other = images(still, clear(brush=1.0))
    assert (one == other).all()
    rough = images(still, clear())[0]
    calm = images(still, clear(brush=1.0, canvas=0.0, cracks=0.0, strokes=0.05))[0]
    inside = np.s_[18:23, 18:23]  # the middle of a block
    steps = [np.abs(np.diff(image[inside], axis=1)).mean() for image in (calm, rough)]
    assert steps[0] < 0.8 * steps[1]


def test_what_lies_outside_of_the_source_mirrors_it(scene):
    made = images(scene, clear(edge=0.25))[0]
    assert (made[:16] == made[16:32][::-1]).all()
