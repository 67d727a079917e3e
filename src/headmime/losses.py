"""The unweighted terms of the objective: tensors in, a scalar out. The training steps weight them.

Computed in float32 (float64 for float64 input), also under autocast. Each term is a mean over the
batch, so the loss of a batch is the mean of the losses of its equal parts.
"""

from collections.abc import Sequence
from typing import cast

from torch import Tensor
from torch.nn import functional as F

from headmime.precision import at_least_float32


def _mean_absolute(a: Tensor, b: Tensor) -> Tensor:
    return F.l1_loss(at_least_float32(a), at_least_float32(b))


def content_loss(fake: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """L_CNT (section 3.2): the sum over layers of the mean absolute difference of perceptual
    features.

    fake, real: a frozen network's features of x_hat and of x, already scaled by their layers'
    weights. Gradient to: fake.
    """
    terms = (_mean_absolute(f, r.detach()) for f, r in zip(fake, real, strict=True))
    return cast(Tensor, sum(terms, 0.0))


def pixel_loss(x_hat: Tensor, x: Tensor) -> Tensor:
    """Mean absolute difference of pixels [-1, 1]; not in the paper, weight 0 there. Gradient to:
    x_hat.
    """
    return _mean_absolute(x_hat, x.detach())


def adversarial_loss(fake_score: Tensor) -> Tensor:
    """-D(x_hat, y, i), the first term of L_ADV (Eq. 4), mean over the batch [B]. Gradient to:
    fake_score.
    """
    return -at_least_float32(fake_score).mean()


def feature_matching_loss(fake: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """L_FM (section 3.2): the sum over D's blocks of the mean absolute difference of features.
    Gradient to: fake.
    """
    return content_loss(fake, real)


def matching_loss(e_hat: Tensor, W_i: Tensor) -> Tensor:
    """L_MCH (section 3.2): mean over N (and the batch) of |e_hat - W_i|, [B, N] each. Gradient to:
    both.
    """
    return _mean_absolute(e_hat, W_i)


def hinge_loss(fake_score: Tensor, real_score: Tensor) -> Tensor:
    """L_DSC (Eq. 6; L'_DSC, Eq. 11): max(0, 1 + D(x_hat)) + max(0, 1 - D(x)), mean over the batch.
    Gradient to: both.
    """
    fake, real = at_least_float32(fake_score), at_least_float32(real_score)
    return F.relu(1 + fake).mean() + F.relu(1 - real).mean()
