"""Fine-tuning on T images of a new person (paper section 3.3): Eq. 7-11."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from headmime.errors import HeadmimeError
from headmime.landmarks.closeups import closeup_strips
from headmime.landmarks.drawing import draw_landmarks
from headmime.learning.closeup import closeup_loss
from headmime.learning.gradients import adam, freeze
from headmime.learning.jitter import Jitter, apply_jitter
from headmime.learning.rehearsal import Rehearsal
from headmime.learning.settings import FineTuneWeights
from headmime.losses import (
    adversarial_loss,
    content_loss,
    feature_matching_loss,
    hinge_loss,
    pixel_loss,
)
from headmime.nets import Nets
from headmime.nets.discriminator import Judgement
from headmime.nets.personal import (
    Personal,
    PersonalDiscriminator,
    PersonalGenerator,
    personalise,
)
from headmime.nets.spectral import normalised_once, power_iterate
from headmime.pixels import to_tensor
from headmime.precision import computes_in_bfloat16
from headmime.pretrained.frozen import Frozen


@dataclass
class FineTuneSettings:
    """Length, rates and losses; the defaults are the paper's 40 epochs at meta-learning's rates.

    Updates: ``epochs`` passes over the T frames in batches of ``batch`` (frames repeat if T is
    smaller), at most ``maximum_steps`` and at least ``minimum_steps``. ``rehearsal``: frames of
    other people added to every update of the generator (not in the paper).
    ``bfloat16``: autocast, on devices with native bfloat16.
    """

    epochs: int = 40
    minimum_steps: int = 0
    maximum_steps: int | None = None
    batch: int = 1
    lr_generator: float = 5e-5
    lr_psi: float = 5e-5
    lr_discriminator: float = 2e-4
    beta2: float = 0.999
    eps: float = 1e-8
    discriminator_steps: int = 2
    rehearsal: int = 0
    weights: FineTuneWeights = field(default_factory=FineTuneWeights)
    jitter: Jitter = field(default_factory=Jitter)
    bfloat16: bool = False
    seed: int = 0

    def steps(self, frames: int) -> int:
        """Number of generator updates for ``frames`` images."""
        passes = math.ceil(self.epochs * frames / self.batch)
        longest = passes if self.maximum_steps is None else self.maximum_steps
        return max(self.minimum_steps, min(passes, longest))

    def autocasts(self, device: torch.device) -> bool:
        """Whether updates on this device run in bfloat16."""
        return self.bfloat16 and computes_in_bfloat16(device)


class FineTuneBatch(NamedTuple):
    """Inputs of an update: images x and drawings y [B, 3, S, S], strips [B, 2, 2, 3]."""

    x: Tensor
    y: Tensor
    strips: Tensor


OnStep = Callable[[int, int, dict[str, Tensor]], None]
"""Called after every update with (updates done, total updates, terms as detached scalars)."""

OnPerson = Callable[[int, Personal], None]
"""Called after every update with (updates done, networks); the next update modifies them in
place.
"""


def embed(nets: Nets, frames: Tensor, landmarks: np.ndarray) -> Tensor:
    """Return e_hat_NEW [N] (Eq. 7) of T frames [T, 3, S, S] in [-1, 1] with landmarks [T, 68, 2] in
    crop coordinates.
    """
    y = to_tensor(draw_landmarks(landmarks, frames.shape[-1])).to(frames.device)
    with torch.no_grad():
        return nets.embedder(frames[None], y[None])[0]


def fine_tune(
    nets: Nets,
    frames: Tensor,
    landmarks: np.ndarray,
    settings: FineTuneSettings,
    perceptual: Frozen,
    on_step: OnStep | None = None,
    rehearsal: Rehearsal | None = None,
    on_person: OnPerson | None = None,
) -> Personal:
    """Fine-tune one person's networks on T frames [T, 3, S, S] in [-1, 1] with landmarks [T, 68, 2]
    in crop coordinates.

    psi' starts at P e_hat_NEW and w' at w0 + e_hat_NEW; both are trained with psi, theta and b.
    ``nets`` are not modified. ``rehearsal`` is required if settings.rehearsal > 0 (HeadmimeError).
    """
    if not settings.rehearsal:
        rehearsal = None
    elif rehearsal is None:
        raise HeadmimeError(f"rehearsal={settings.rehearsal} needs frames of other people.")
    if len(frames) == 0 or len(frames) != len(landmarks):
        raise HeadmimeError(
            f"Fine-tuning needs frames with landmarks; got {len(frames)} and {len(landmarks)}."
        )
    person = personalise(nets.generator, nets.discriminator, embed(nets, frames, landmarks))
    step_G, step_D = _optimisers(person, settings)
    total = settings.steps(len(frames))
    batches = _batches(frames, landmarks, settings)
    rng = np.random.default_rng((settings.seed, 1))
    half = settings.autocasts(frames.device)
    for done in range(1, total + 1):
        batch = next(batches)
        others = rehearsal.sample(settings.rehearsal, rng) if rehearsal is not None else None
        with torch.autocast(frames.device.type, torch.bfloat16, enabled=half):
            terms = _step(person, step_G, step_D, batch, others, settings, perceptual)
        if on_step is not None:
            on_step(done, total, terms)
        if on_person is not None:
            on_person(done, person)
    return person


def _optimisers(
    person: Personal, s: FineTuneSettings
) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
    G, D = person
    of_G = [
        {"params": G.synthesis.parameters(), "lr": s.lr_generator},
        {"params": [G.psi], "lr": s.lr_psi},
    ]
    of_D = [{"params": D.parameters(), "lr": s.lr_discriminator}]
    return adam(of_G, s.beta2, s.eps), adam(of_D, s.beta2, s.eps)


def _step(
    person: Personal,
    step_G: torch.optim.Optimizer,
    step_D: torch.optim.Optimizer,
    batch: FineTuneBatch,
    others: Rehearsal | None,
    settings: FineTuneSettings,
    perceptual: Frozen,
) -> dict[str, Tensor]:
    (G, D), (x, y, near), L = person, batch, settings.weights
    power_iterate(G)
    power_iterate(D)
    with normalised_once(G), normalised_once(D):
        x_hat = G(y)  # Eq. 8
        real = D(x, y)  # reused in D's first update, before which D does not change
        with freeze(D):
            fake = D(x_hat, y)
        with torch.no_grad():
            target = perceptual(x)
        cnt = content_loss(perceptual(x_hat), target)
        adv = adversarial_loss(fake.score)
        fm = feature_matching_loss(fake.features, real.features)
        pix = pixel_loss(x_hat, x)
        L_adv = L.adversarial * adv + L.feature_matching * fm
        total = L.content * cnt + L_adv + L.pixel * pix  # Eq. 10
        if L.closeup:
            total = total + L.closeup * closeup_loss(x_hat, x, near, perceptual, L)
        if others is not None:
            total = total + _rehearsal_loss(G, others, L, perceptual)
        step_G.zero_grad()
        total.backward()
        x_hat = x_hat.detach()
        dsc = _discriminate(D, x_hat, y, real, step_D)
    step_G.step()
    step_D.step()
    for _ in range(1, settings.discriminator_steps):
        power_iterate(D)
        with normalised_once(D):
            dsc = _discriminate(D, x_hat, y, D(x, y), step_D)
        step_D.step()
    terms = {"total": total, "cnt": cnt, "adv": adv, "fm": fm, "pix": pix, "dsc": dsc}
    return {f"loss/{name}": term.detach() for name, term in terms.items()}


def _discriminate(
    D: PersonalDiscriminator, x_hat: Tensor, y: Tensor, real: Judgement, step: torch.optim.Optimizer
) -> Tensor:
    """Compute L'_DSC (Eq. 11) and its gradient in D; return the term."""
    dsc = hinge_loss(D(x_hat, y).score, real.score)
    step.zero_grad()
    dsc.backward()
    return dsc


def _rehearsal_loss(
    G: PersonalGenerator, others: Rehearsal, L: FineTuneWeights, perceptual: Frozen
) -> Tensor:
    """L_CNT, pixel and close-up losses of other people with their own psi_hat.

    Gradient to: psi, not psi'.
    """
    x_hat = G.synthesis(others.y, others.psi)
    with torch.no_grad():
        target = perceptual(others.x)
    cnt = content_loss(perceptual(x_hat), target)
    total = L.content * cnt + L.pixel * pixel_loss(x_hat, others.x)
    if L.closeup:
        near = closeup_loss(x_hat, others.x, others.strips, perceptual, L)
        total = total + L.closeup * near
    return total


def _batches(
    frames: Tensor, landmarks: np.ndarray, settings: FineTuneSettings
) -> Iterator[FineTuneBatch]:
    """Yield batches endlessly, in random permutations of the frames."""
    rng = np.random.default_rng(settings.seed)
    T, size = len(frames), frames.shape[-1]
    jitter = settings.jitter.of(T)
    queue: list[int] = []
    while True:
        while len(queue) < settings.batch:
            queue.extend(rng.permutation(T).tolist())
        chosen, queue = queue[: settings.batch], queue[settings.batch :]
        x, points = apply_jitter(frames[chosen], landmarks[chosen], jitter, rng)
        y, near = to_tensor(draw_landmarks(points, size)), torch.from_numpy(closeup_strips(points))
        yield FineTuneBatch(x, y.to(frames.device), near.to(frames.device))
