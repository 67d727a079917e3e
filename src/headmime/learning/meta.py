"""Meta-learning over training videos (paper section 3.2): one step is Eq. 3-6 on one screen."""

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from headmime.learning.gradients import frozen
from headmime.learning.readings import step_readings
from headmime.learning.rows import Rows
from headmime.learning.settings import LossWeights, Optimisation
from headmime.losses import (
    adversarial_loss,
    content_loss,
    feature_matching_loss,
    hinge_loss,
    matching_loss,
    pixel_loss,
)
from headmime.nets import Nets
from headmime.nets.spectral import power_iterate


class MetaLearning(pl.LightningModule):
    """Embedder, generator, discriminator and W, trained on episodes."""

    def __init__(
        self,
        nets: Nets,
        rows: int,
        perceptual: nn.Module,
        weights: LossWeights,
        optimisation: Optimisation,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.embedder, self.generator, self.discriminator = nets
        self.rows = Rows(
            rows,
            len(nets.discriminator.w0),
            lr=optimisation.lr_rows,
            beta2=optimisation.beta2,
            eps=optimisation.eps,
        )
        self._perceptual = [perceptual]  # in a list: frozen, and no part of this module's state
        self.weights, self.optimisation = weights, optimisation

    @property
    def nets(self) -> Nets:
        """The networks in training."""
        return Nets(self.embedder, self.generator, self.discriminator)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        o = self.optimisation
        E_and_G = [*self.embedder.parameters(), *self.generator.parameters()]
        return [
            torch.optim.Adam(E_and_G, lr=o.lr_generator, betas=(0.0, o.beta2), eps=o.eps),
            torch.optim.Adam(
                self.discriminator.parameters(),
                lr=o.lr_discriminator,
                betas=(0.0, o.beta2),
                eps=o.eps,
            ),
        ]

    def on_fit_start(self) -> None:
        self._perceptual[0].to(self.device)

    def training_step(self, batch: dict[str, Tensor], _: int) -> dict[str, Tensor]:
        """One update of E and G, then the updates of D, on the same batch; returns the terms
        (detached scalars).
        """
        E, G, D, perceptual, L = *self.nets, self._perceptual[0], self.weights
        x_t, y_t, i = batch["x_t"], batch["y_t"], batch["row"]
        step_E_and_G, step_D = self.optimizers()

        for net in (E, G, D):
            power_iterate(net)
        e_hat = E(batch["x_s"], batch["y_s"])
        x_hat = G(y_t, G.project(e_hat))
        self.rows.start_from(i, e_hat)
        W_i = self.rows.fetch(i)
        real = D(
            x_t, y_t, W_i
        )  # D has not moved before its first update below: one forward serves both
        with frozen(D):
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
        step_E_and_G.zero_grad()
        self.manual_backward(
            total
        )  # leaves L_MCH's gradient in W_i: it waits there for D's first update
        step_E_and_G.step()

        x_hat = x_hat.detach()
        for k in range(self.optimisation.discriminator_steps):
            if k > 0:
                power_iterate(D)
                W_i = self.rows.fetch(i)
                real = D(x_t, y_t, W_i)
            fake = D(x_hat, y_t, W_i)
            dsc = hinge_loss(fake.score, real.score)  # Eq. 6
            step_D.zero_grad()
            self.manual_backward(dsc)
            step_D.step()
            self.rows.update(i, W_i.grad)

        terms = {
            "total": total,
            "cnt": cnt,
            "adv": adv,
            "fm": fm,
            "mch": mch,
            "pix": pix,
            "dsc": dsc,
        }
        losses = {f"loss/{name}": term.detach() for name, term in terms.items()}
        return losses | step_readings(self.nets, real.score, fake.score, e_hat, W_i)
