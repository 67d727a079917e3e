"""Eyes and mouth, magnified for the losses (a deviation; weight 0 in the paper's settings).

Together they are a few hundred pixels of a small picture, and L_CNT hardly hears them.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from headmime.learning.settings import FineTuneWeights
from headmime.losses import content_loss, pixel_loss
from headmime.precision import at_least_float32
from headmime.pretrained.frozen import Frozen


def close_up(x: Tensor, strips: Tensor) -> Tensor:
    """Return the strips [B, 2, 2, 3] of `headmime.landmarks.closeups` of pictures x [B, 3, S, S],
    one above the other, as pictures [B, 3, S, S]. Gradient to: x.
    """
    S, x = x.shape[-1], at_least_float32(x)
    shape = [len(x), x.shape[1], S // 2, S]
    with torch.autocast(x.device.type, enabled=False):  # bfloat16 is a fifth of a pixel wrong
        grids = [F.affine_grid(s.to(x), shape, align_corners=False) for s in strips.unbind(1)]
        close = [F.grid_sample(x, g, "bilinear", "border", align_corners=False) for g in grids]
    return torch.cat(close, dim=2)


def closeup_loss(
    x_hat: Tensor, x: Tensor, strips: Tensor, perceptual: Frozen, weights: FineTuneWeights
) -> Tensor:
    """L_CNT and the pixel loss of the close-ups, weighted against each other as those of the whole
    pictures [B, 3, S, S]. Gradient to: x_hat.
    """
    near_hat, near = close_up(x_hat, strips), close_up(x, strips)
    with torch.no_grad():
        target = perceptual.of_close_ups(near)
    cnt = content_loss(perceptual.of_close_ups(near_hat), target)
    return weights.content * cnt + weights.pixel * pixel_loss(near_hat, near)
