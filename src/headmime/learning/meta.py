"""Meta-learning on training videos (paper section 3.2): `training_step` is Eq. 3-6."""

from collections.abc import Collection
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.core.optimizer import LightningOptimizer
from torch import Tensor, nn

from headmime.errors import HeadmimeError
from headmime.learning.closeup import closeup_loss
from headmime.learning.diagnostics import step_diagnostics
from headmime.learning.distributed import all_gather, mean_gradients, require_equal, world_size
from headmime.learning.gradients import adam, freeze, gradient_of
from headmime.learning.resumption import require_same_shapes
from headmime.learning.settings import LossWeights, Optimisation
from headmime.learning.video_embeddings import NoVideoEmbeddings, VideoEmbeddings
from headmime.losses import (
    adversarial_loss,
    content_loss,
    feature_matching_loss,
    hinge_loss,
    matching_loss,
    pixel_loss,
)
from headmime.nets import Nets
from headmime.nets.discriminator import Judgement
from headmime.nets.spectral import normalised_once, power_iterate
from headmime.pretrained.frozen import Frozen

TERMS = ("total", "cnt", "adv", "fm", "mch", "pix", "near", "dsc")
DIAGNOSTIC_INPUTS = ("real", "fake", "e_hat", "W_i")


class MetaLearning(pl.LightningModule):
    """Embedder, generator, discriminator and W, trained on episodes."""

    def __init__(
        self,
        nets: Nets,
        rows: int,
        perceptual: Frozen,
        weights: LossWeights,
        optimisation: Optimisation,
        inherited: Collection[str] = (),
    ) -> None:
        """``rows``: number of videos, rows of W. ``inherited``: names of the parameters (as in
        :attr:`nets`) copied from smaller networks; :meth:`set_rates` sets their rate separately.
        """
        super().__init__()
        self.automatic_optimization = False
        self.embedder, self.generator, self.discriminator = nets
        N, o = len(nets.discriminator.w0), optimisation
        if o.lr_video_embeddings is None and weights.matching:
            raise HeadmimeError(
                f"optim.lr_video_embeddings=null omits W, but loss.matching={weights.matching}"
                " compares embeddings with its rows: set loss.matching=0."
            )
        self.video_embeddings = (
            NoVideoEmbeddings(N)
            if o.lr_video_embeddings is None
            else VideoEmbeddings(rows, N, lr=o.lr_video_embeddings, beta2=o.beta2, eps=o.eps)
        )
        self._perceptual = [perceptual]  # in a list: not a submodule, not part of the state
        self.weights, self.optimisation = weights, optimisation
        self._inherited = frozenset(inherited)

    @property
    def nets(self) -> Nets:
        """The networks being trained."""
        return Nets(self.embedder, self.generator, self.discriminator)

    @property
    def perceptual(self) -> Frozen:
        """The frozen network of L_CNT."""
        return self._perceptual[0]

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        o = self.optimisation
        E_and_G = self._groups(["embedder", "generator"], o.lr_generator)
        D = self._groups(["discriminator"], o.lr_discriminator)
        return [adam(groups, o.beta2, o.eps) for groups in (E_and_G, D)]

    def _groups(self, names: list[str], lr: float) -> list[dict[str, Any]]:
        """Parameter groups of these networks for an optimiser: new and inherited parameters."""
        groups: dict[bool, list[nn.Parameter]] = {False: [], True: []}
        for net in names:
            for name, parameter in getattr(self, net).named_parameters():
                groups[f"{net}.{name}" in self._inherited].append(parameter)
        return [
            {"params": parameters, "lr": lr, "initial_lr": lr, "inherited": inherited}
            for inherited, parameters in groups.items()
            if parameters
        ]

    def _optimizers(self) -> list[LightningOptimizer]:
        """Of E and G, and of D."""
        optimizers = self.optimizers()
        assert isinstance(optimizers, list)
        return optimizers

    def set_rates(self, factor: float, inherited: float) -> None:
        """Set all learning rates to the configured ones times ``factor``, those of inherited
        parameters to times ``inherited``.
        """
        for optimizer in self._optimizers():
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * (inherited if group["inherited"] else factor)
        lr = self.optimisation.lr_video_embeddings
        if lr is not None and isinstance(self.video_embeddings, VideoEmbeddings):
            self.video_embeddings.lr = lr * factor

    def on_fit_start(self) -> None:
        self.perceptual.to(self.device)

    def on_train_start(self) -> None:
        require_equal(self.state_dict(), "give all of them the same seed, `init` and `ckpt`.")
        for resumed, configured in zip(
            self._optimizers(), self.configure_optimizers(), strict=True
        ):
            for group, rates in zip(resumed.param_groups, configured.param_groups, strict=True):
                group.update({k: v for k, v in rates.items() if k != "params"})

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        require_same_shapes(checkpoint["state_dict"], self.state_dict())

    def training_step(self, batch: dict[str, Tensor], _: int) -> dict[str, Tensor]:
        """Update E and G once, then D, on the same batch, in `accumulate` equal parts; return the
        terms and diagnostics (detached scalars).
        """
        (E, G, D), perceptual, L = self.nets, self.perceptual, self.weights
        step_E_and_G, step_D = self._optimizers()
        parts = _split_batch(batch, self.optimisation.accumulate)
        i_everywhere = all_gather(batch["row"])

        for net in (E, G, D):
            power_iterate(net)
        step_E_and_G.zero_grad()
        step_D.zero_grad()
        with normalised_once(D):  # three forward passes per part between two updates
            for part in parts:
                x_t, y_t, i = part["x_t"], part["y_t"], part["row"]
                e_hat = E(part["x_s"], part["y_s"])
                x_hat = G(y_t, G.project(e_hat))
                self.video_embeddings.start_from(all_gather(i), all_gather(e_hat.detach()))
                W_i = self.video_embeddings.fetch(i)
                real = D(x_t, y_t, W_i)  # reused in D's first update, before which D is unchanged
                with freeze(D):
                    fake = D(x_hat, y_t, W_i.detach())
                with torch.no_grad():
                    target = perceptual(x_t)
                cnt = content_loss(perceptual(x_hat), target)
                adv = adversarial_loss(fake.score)
                fm = feature_matching_loss(fake.features, real.features)
                mch = matching_loss(e_hat, W_i)
                pix = pixel_loss(x_hat, x_t)
                L_adv = L.adversarial * adv + L.feature_matching * fm  # Eq. 4
                total = L.content * cnt + L_adv + L.matching * mch + L.pixel * pix  # Eq. 3
                if L.closeup:
                    near = closeup_loss(x_hat, x_t, part["strips_t"], perceptual, L)
                    total = total + L.closeup * near
                    part["near"] = near
                # accumulates L_MCH's gradient in W_i; `_discriminate` adds that of L_DSC
                self.manual_backward(total / len(parts))
                part |= {"total": total, "cnt": cnt, "adv": adv, "fm": fm, "mch": mch, "pix": pix}
                part |= {"e_hat": e_hat.detach(), "x_hat": x_hat.detach(), "W_i": W_i}
                self._discriminate(part, real, len(parts))
        mean_gradients([*E.parameters(), *G.parameters()])
        step_E_and_G.step()

        for k in range(self.optimisation.discriminator_steps):
            if k > 0:
                power_iterate(D)
                step_D.zero_grad()
                with normalised_once(D):
                    for part in parts:
                        part["W_i"] = W_i = self.video_embeddings.fetch(part["row"])
                        self._discriminate(part, D(part["x_t"], part["y_t"], W_i), len(parts))
            mean_gradients(D.parameters())
            step_D.step()
            W_i_grad = torch.cat([gradient_of(part["W_i"]) for part in parts])
            self.video_embeddings.update(i_everywhere, all_gather(W_i_grad) / world_size())

        whole = {
            name: torch.stack([part[name].detach() for part in parts]).mean()
            for name in TERMS
            if name in parts[0]
        }
        losses = {f"loss/{name}": term for name, term in whole.items()}
        inputs = (torch.cat([part[name] for part in parts]) for name in DIAGNOSTIC_INPUTS)
        return losses | step_diagnostics(self.nets, *inputs)

    def _discriminate(self, part: dict[str, Tensor], real: Judgement, parts: int) -> None:
        """Accumulate the gradient of L_DSC in D and in the part's rows W_i."""
        fake = self.discriminator(part["x_hat"], part["y_t"], part["W_i"])
        dsc = hinge_loss(fake.score, real.score)  # Eq. 6
        self.manual_backward(dsc / parts)
        part |= {"dsc": dsc, "real": real.score.detach(), "fake": fake.score.detach()}


def _split_batch(batch: dict[str, Tensor], n: int) -> list[dict[str, Tensor]]:
    """Split a batch into n batches of consecutive episodes."""
    chunks = {name: t.chunk(n) for name, t in batch.items()}
    return [{name: chunks[name][k] for name in batch} for k in range(n)]
