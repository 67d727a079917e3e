"""Metrics logged besides the loss terms, as tensors: nothing here synchronises with the device."""

import torch
from torch import Tensor, nn

from headmime.nets import Nets


def step_diagnostics(
    nets: Nets, real: Tensor, fake: Tensor, e_hat: Tensor, W_i: Tensor
) -> dict[str, Tensor]:
    """Return detached scalars of a step from D's scores [B], the embeddings e_hat [B, N], their
    rows W_i [B, N] and each network's gradient.

    ``score/*``: mean scores.
    ``saturated/*``: the share of scores beyond the hinge's margin, which give D no gradient.
    ``embedding/spread``: standard deviation over the batch (0 for a batch of 1).
    ``embedding/distance``: mean |e_hat - W_i| over mean |e_hat|.
    ``gradient/*``: the L2 norm of the network's last gradient.
    """
    real, fake, e_hat, W_i = (t.detach().float() for t in (real, fake, e_hat, W_i))
    spread = e_hat.std(dim=0).mean() if len(e_hat) > 1 else e_hat.new_zeros(())
    norms = {f"gradient/{name}": gradient_norm(net) for name, net in nets._asdict().items()}
    return {
        "score/real": real.mean(),
        "score/fake": fake.mean(),
        "saturated/real": (real >= 1).float().mean(),
        "saturated/fake": (fake <= -1).float().mean(),
        "embedding/spread": spread,
        "embedding/distance": (e_hat - W_i).abs().mean() / e_hat.abs().mean(),
        **norms,
    }


def gradient_norm(net: nn.Module) -> Tensor:
    """L2 norm of the current gradients of ``net``'s parameters, as a scalar."""
    gradients = [p.grad for p in net.parameters() if p.grad is not None]
    return nn.utils.get_total_norm(gradients).detach()


def grid_diagnostics(nets: Nets, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return scalars of a fixed validation batch, images [-1, 1].

    ``grid/pix``: mean |x_hat - x|. ``grid/brightness``: mean of x_hat (-1 is black).
    ``grid/cast``: mean of the strongest colour channel minus that of the other two (red: 2).
    ``grid/contrast``: standard deviation over each image, relative to the targets' (0: one colour).
    ``grid/person``: mean change of the image with another person's embedding, relative to the
    difference between the targets (0: the embedding has no effect).
    ``grid/spread``: standard deviation of the embeddings over people (0: E has collapsed).
    ``target/*``: brightness and cast of the targets.
    """
    E, G, _ = nets
    x, y = batch["x_t"], batch["y_t"]
    with torch.no_grad():
        e_hat = E(batch["x_s"], batch["y_s"])
        x_hat = G(y, G.project(e_hat))
        another = G(y, G.project(e_hat.roll(1, 0)))
    difference = (x - x.roll(1, 0)).abs().mean()
    return {
        "grid/pix": (x_hat - x).abs().mean(),
        "grid/brightness": x_hat.mean(),
        "grid/cast": _cast(x_hat),
        "grid/contrast": _contrast(x_hat) / _contrast(x),
        "grid/person": (x_hat - another).abs().mean() / difference,
        "grid/spread": e_hat.std(dim=0).mean(),
        "target/brightness": x.mean(),
        "target/cast": _cast(x),
    }


def _cast(images: Tensor) -> Tensor:
    channels = images.mean(dim=(0, 2, 3))
    return (1.5 * channels - channels.sum() / 2).max()


def _contrast(images: Tensor) -> Tensor:
    return images.std(dim=(2, 3)).mean()
