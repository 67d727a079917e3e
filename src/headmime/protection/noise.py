"""Protective noise by projected gradient ascent, robust to what platforms do to images.

It ascends what this method makes of a source image: its embedding (Eq. 7), the image with which
fine-tuning starts (Eq. 8) and the features that L_CNT compares (Eq. 10). The expectation over
transformations follows Athalye et al. 2018 (arXiv 1707.07397), the momentum Dong et al. 2018
(arXiv 1710.06081).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from headmime.animate.model import Model
from headmime.errors import HeadmimeError
from headmime.landmarks.crop import Crop, crop_box
from headmime.landmarks.drawing import draw_landmarks
from headmime.learning.gradients import freeze
from headmime.losses import content_loss, pixel_loss
from headmime.nets.spectral import normalised_once
from headmime.pixels import to_tensor
from headmime.pretrained.frozen import Frozen
from headmime.progress import OnFrame, report_progress
from headmime.protection.platforms import blur, half_size, jpeg

PROTOCOL = "1"
"""Version of the noise, part of cache keys and results. Increment it when the noise changes."""

STRONGEST = 32
MOMENTUM = 0.9
PATH = 2.5  # sum of the lengths of all steps, in strengths
SHIFT, ZOOM = 0.04, 0.05  # largest displacement and scaling of the crop, shares of its side
QUALITIES = 60, 95  # of JPEG
EDGE = 0.06  # share of the crop's side over which the noise fades at its border


@dataclass(frozen=True)
class NoiseSettings:
    """strength: the largest change of a value, in 8-bit steps. steps: gradient steps of a face."""

    strength: int
    steps: int
    seed: int


def check_strength(strength: int, steps: int) -> None:
    """Raise HeadmimeError for values that make no noise, or no image."""
    if not 1 <= strength <= STRONGEST:
        raise HeadmimeError(f"strength={strength} should be from 1 to {STRONGEST}.")
    if steps < 1:
        raise HeadmimeError(f"steps={steps} should be at least 1.")


def add_noise(
    image: np.ndarray,
    faces: Sequence[np.ndarray],
    model: Model,
    perceptual: Frozen,
    settings: NoiseSettings,
    on_step: OnFrame | None = None,
) -> np.ndarray:
    """Return the image, uint8 [H, W, 3], with noise in the crop of each of `faces`, landmarks
    [68, 2] in pixels. No value changes by more than `settings.strength`.
    """
    noise, total = np.zeros(image.shape, np.float32), len(faces) * settings.steps
    for k, pixels in enumerate(faces):
        crop = crop_box(pixels[None])
        side = min(2 * model.shape.image_size, max(1, round(crop.side)))
        view, landmarks = crop.cut(image, side), crop.to_crop(pixels)

        def on_face(done: int, of_face: int | None, before: int = k * settings.steps) -> None:
            if on_step is not None:
                on_step(before + done, total)

        noise += _into_image(
            ascend(view, landmarks, model, perceptual, settings, on_face), crop, image
        )
    strength = settings.strength
    return (image + noise.clip(-strength, strength)).round().clip(0, 255).astype(np.uint8)


def ascend(
    view: np.ndarray,
    landmarks: np.ndarray,
    model: Model,
    perceptual: Frozen,
    settings: NoiseSettings,
    on_step: OnFrame | None = None,
) -> np.ndarray:
    """Return the noise, float32 [s, s, 3] in 8-bit steps, of a crop, uint8 [s, s, 3] with landmarks
    [68, 2] in crop coordinates.
    """
    side, S = len(view), model.shape.image_size
    device = next(model.nets.generator.parameters()).device
    rng = np.random.default_rng(settings.seed)
    x = torch.from_numpy(view).to(device).movedim(-1, 0)[None].float()  # 0..255
    limit = settings.strength * _window(side).to(device)
    noise = limit * torch.from_numpy(rng.uniform(-1, 1, x.shape)).to(limit)
    momentum = torch.zeros_like(noise)
    for _ in report_progress(range(settings.steps), settings.steps, on_step):
        noise.requires_grad_()
        theta = _random_crop(rng)
        y = to_tensor(draw_landmarks(_moved(landmarks, theta)[None], S)).to(device)
        clean = _crop(x, theta, S)
        seen = _crop(_random_platform((x + noise).clamp(0, 255), rng), theta, S)
        (gradient,) = torch.autograd.grad(damage(clean, seen, y, model, perceptual), noise)
        momentum = MOMENTUM * momentum + gradient / gradient.abs().mean()
        step = PATH * settings.strength / settings.steps
        noise = (noise.detach() + step * momentum.sign()).clamp(-limit, limit)
    return noise[0].movedim(0, -1).cpu().numpy()


def damage(clean: Tensor, seen: Tensor, y: Tensor, model: Model, perceptual: Frozen) -> Tensor:
    """How differently the method treats the images clean and seen [1, 3, S, S] in [-1, 1] with
    drawings y: a sum of three terms, each relative to the clean image. Gradient to: seen.
    """
    E, G, _ = model.nets
    with freeze(E), freeze(G), normalised_once(E), normalised_once(G):
        with torch.no_grad():
            e_hat, target = E(clean[None], y[None]), perceptual(clean)
            before = content_loss(perceptual(G(y, G.project(e_hat))), target)
        e_seen = E(seen[None], y[None])
        embedding = pixel_loss(e_seen, e_hat) / e_hat.abs().mean()
        start = content_loss(perceptual(G(y, G.project(e_seen))), target) / before
        features = content_loss(perceptual(seen), target) / before
    return embedding + start + features


def _window(side: int) -> Tensor:
    """[1, 1, side, side]: 1, falling to 0 at the border."""
    k = torch.arange(side) + 0.5
    fade = (torch.minimum(k, side - k) / (EDGE * side)).clamp(max=1)
    return (fade[:, None] * fade)[None, None]


def _random_crop(rng: np.random.Generator) -> Tensor:
    """An affine map [2, 3] from the coordinates [-1, 1] of a crop to those of a similar one."""
    zoom, (dx, dy) = 1 + rng.uniform(-ZOOM, ZOOM), rng.uniform(-2 * SHIFT, 2 * SHIFT, 2)
    return torch.tensor([[zoom, 0, dx], [0, zoom, dy]], dtype=torch.float32)


def _moved(landmarks: np.ndarray, theta: Tensor) -> np.ndarray:
    """Landmarks in coordinates of the crop theta."""
    zoom, shift = theta[0, 0].item(), theta[:, 2].numpy()
    return (((2 * landmarks - 1 - shift) / zoom + 1) / 2).astype(np.float32)


def _crop(x: Tensor, theta: Tensor, S: int) -> Tensor:
    """Cut the crop theta out of x [1, 3, s, s] in 0..255 -> [1, 3, S, S] in [-1, 1]."""
    grid = F.affine_grid(theta[None].to(x), [1, 3, 2 * S, 2 * S], align_corners=False)
    cut = F.grid_sample(x, grid, padding_mode="reflection", align_corners=False)
    return F.avg_pool2d(cut, 2) / 127.5 - 1


def _random_platform(x: Tensor, rng: np.random.Generator) -> Tensor:
    """One of four: unchanged, JPEG, half size, blur."""
    kind = rng.integers(4)
    if kind == 1:
        return jpeg(x, int(rng.integers(QUALITIES[0], QUALITIES[1] + 1)))
    return x if kind == 0 else half_size(x) if kind == 2 else blur(x)


def _into_image(noise: np.ndarray, crop: Crop, image: np.ndarray) -> np.ndarray:
    """Resample the noise of a crop [s, s, 3] to the image's pixels [H, W, 3], 0 outside."""
    scale = crop.side / len(noise)
    middle = 0.5 * scale - 0.5
    matrix = np.array([[scale, 0, crop.x + middle], [0, scale, crop.y + middle]])
    height, width = image.shape[:2]
    return cv2.warpAffine(noise, matrix, (width, height), flags=cv2.INTER_LINEAR)
