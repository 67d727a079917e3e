"""Noise: bounded, in the crops alone, worse for the method than chance."""

import numpy as np
import pytest
import torch

from headmime.animate.model import Model
from headmime.data.image_reader import read_image
from headmime.errors import HeadmimeError
from headmime.landmarks.crop import crop_box
from headmime.landmarks.detect import load_detector
from headmime.landmarks.drawing import draw_landmarks
from headmime.pixels import to_tensor
from headmime.protection.noise import NoiseSettings, add_noise, ascend, check_strength, damage

SETTINGS = NoiseSettings(strength=4, steps=8, seed=0)


@pytest.fixture
def model(nets, tiny) -> Model:
    return Model(nets, tiny, sha256="0" * 64, record={"detector": "dlib"})


@pytest.fixture(scope="module")
def image(mona_lisa) -> np.ndarray:
    return read_image(mona_lisa)


@pytest.fixture(scope="module")
def face(image) -> np.ndarray:
    return load_detector("dlib").detect([image])[0][0].pixels


def inputs(view, landmarks, size):
    x = to_tensor(view)[None]
    return x, to_tensor(draw_landmarks(landmarks[None], size))


def test_noise_is_bounded_and_in_the_crop_alone(image, face, model, perceptual):
    out = add_noise(image, [face], model, perceptual, SETTINGS)
    change = out.astype(int) - image
    assert out.dtype == np.uint8 and np.abs(change).max() == SETTINGS.strength
    crop = crop_box(face[None])
    y, x = np.nonzero(np.abs(change).max(-1))
    assert x.min() >= crop.x - 1 and x.max() <= crop.x + crop.side + 1
    assert y.min() >= crop.y - 1 and y.max() <= crop.y + crop.side + 1
    assert np.array_equal(out, add_noise(image, [face], model, perceptual, SETTINGS))


def test_the_networks_see_the_noise_that_was_found(image, face, model, perceptual):
    """Resampled to the image and cut out again as animators do, it is what was optimised."""
    crop = crop_box(face[None])
    side = 2 * model.shape.image_size
    view = crop.cut(image, side)
    noise = ascend(view, crop.to_crop(face), model, perceptual, SETTINGS)
    out = add_noise(image, [face], model, perceptual, SETTINGS)
    seen = crop.cut(out, side).astype(float) - view
    assert np.corrcoef(seen.ravel(), noise.ravel())[0, 1] > 0.9


def test_damage_of_no_noise_is_that_of_the_start_alone(model, perceptual, image, face):
    crop = crop_box(face[None])
    x, y = inputs(crop.cut(image, 16), crop.to_crop(face), 16)
    assert damage(x, x, y, model, perceptual).item() == pytest.approx(1)  # 0 + 1 + 0


def test_noise_does_more_than_chance(model, perceptual, image, face):
    crop = crop_box(face[None])
    view, landmarks = crop.cut(image, 32), crop.to_crop(face)
    noise = ascend(view, landmarks, model, perceptual, NoiseSettings(8, 20, 0))
    random = np.random.default_rng(0).choice((-8.0, 8.0), noise.shape).astype(np.float32)
    x, y = inputs(crop.cut(image, 16), landmarks, 16)

    def of(change: np.ndarray) -> float:
        both = (view + change).clip(0, 255).astype(np.float32)
        seen = torch.from_numpy(both).movedim(-1, 0)[None] / 127.5 - 1
        seen = torch.nn.functional.avg_pool2d(seen, 2)
        return damage(x, seen, y, model, perceptual).item()

    assert of(noise) > of(random) > 1


def test_progress_counts_the_steps_of_all_faces(model, perceptual, image, face):
    seen = []
    settings = NoiseSettings(4, 3, 0)
    add_noise(image, [face, face + 9], model, perceptual, settings, lambda *at: seen.append(at))
    assert seen == [(done, 6) for done in range(1, 7)]


@pytest.mark.parametrize(("strength", "steps"), [(0, 5), (33, 5), (4, 0)])
def test_what_makes_no_noise_or_no_image_is_refused(strength, steps):
    with pytest.raises(HeadmimeError, match="should be"):
        check_strength(strength, steps)
