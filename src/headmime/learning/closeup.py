"""Losses on magnified eyes and mouth (a deviation; weight 0 in the paper's settings).

Eyes and mouth cover too few pixels of a small image to affect L_CNT.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from headmime.learning.settings import FineTuneWeights
from headmime.losses import content_loss, pixel_loss
from headmime.precision import at_least_float32
from headmime.pretrained.frozen import Frozen


def close_up(x: Tensor, strips: Tensor) -> Tensor:
    """Crop the strips [B, 2, 2, 3] of `headmime.landmarks.closeups` from images x [B, 3, S, S] and
    stack each pair vertically: [B, 3, S, S]. Gradient to: x.
    """
    S, x = x.shape[-1], at_least_float32(x)
    shape = [len(x), x.shape[1], S // 2, S]
    with torch.autocast(x.device.type, enabled=False):  # bfloat16 errs by a fifth of a pixel
        grids = [F.affine_grid(s.to(x), shape, align_corners=False) for s in strips.unbind(1)]
        close = [F.grid_sample(x, g, "bilinear", "border", align_corners=False) for g in grids]
    return torch.cat(close, dim=2)


def closeup_loss(
    x_hat: Tensor, x: Tensor, strips: Tensor, perceptual: Frozen, weights: FineTuneWeights
) -> Tensor:
    """L_CNT and the pixel loss of the close-ups of images [B, 3, S, S], with the weights of the
    full-image terms. Gradient to: x_hat.
    """
    near_hat, near = close_up(x_hat, strips), close_up(x, strips)
    with torch.no_grad():
        target = perceptual.close_up_features(near)
    cnt = content_loss(perceptual.close_up_features(near_hat), target)
    return weights.content * cnt + weights.pixel * pixel_loss(near_hat, near)
