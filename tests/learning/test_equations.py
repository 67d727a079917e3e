"""The eleven equations of the paper, written out here with its symbols, are what the code computes.
E, V, P and AdaIN's generator are taken from the code; what is made of them is not.
"""

import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import relu
from torch.testing import assert_close

import headmime.losses
from headmime.landmarks.drawing import draw_landmarks
from headmime.learning.finetune import FineTuneSettings, embed, fine_tune
from headmime.learning.meta import MetaLearning
from headmime.learning.settings import LossWeights, Optimisation
from headmime.nets import Nets
from headmime.nets.personal import personalise
from headmime.nets.spectral import power_iterate
from headmime.pixels import to_tensor

# Of L_CNT, -D(x_hat), L_FM and L_MCH: all different, so that none can stand for another.
WEIGHTS = LossWeights(content=2, adversarial=3, feature_matching=5, matching=7)

Batch = dict[str, Tensor]


class Update(NamedTuple):
    """What an update reports, and what its terms are made of: scores [B] and features of V."""

    told: dict[str, Tensor]
    fake: Tensor
    real: Tensor
    l_cnt: Tensor
    l_fm: Tensor
    l_mch: Tensor | None


def l1(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).abs().mean()


@torch.no_grad()
def judged(V: nn.Module, w: Tensor, b: Tensor, x_hat: Tensor, x: Tensor, y: Tensor) -> list[Tensor]:
    """V(x_hat, y) w + b, the same of x, and the sum over V's blocks of their L1 distance."""
    (fake, of_fake), (real, of_real) = V(x_hat, y), V(x, y)
    l_fm = sum(l1(f, r) for f, r in zip(of_fake, of_real, strict=True))
    return [(fake * w).sum(1) + b, (real * w).sum(1) + b, l_fm]


@pytest.fixture
def update(
    meta_learning: Callable[..., MetaLearning], perceptual: nn.Module, batch: Batch
) -> Update:
    """The first update of meta-learning."""
    module = meta_learning(WEIGHTS, Optimisation(discriminator_steps=1))
    E, G, D = deepcopy(module.nets)
    for net in (E, G, D):
        power_iterate(net)
    x, y, W_i = batch["x_t"], batch["y_t"], module.video_embeddings.W[batch["row"]].clone()
    with torch.no_grad():
        e_hat = E(batch["x_s"], batch["y_s"])
        x_hat = G(y, G.project(e_hat))
        l_cnt = sum(l1(f, r) for f, r in zip(perceptual(x_hat), perceptual(x), strict=True))
    told = module.training_step(batch, 0)
    fake, real, l_fm = judged(D.v, W_i + D.w0, D.b, x_hat, x, y)
    return Update(told, fake, real, l_cnt, l_fm, l1(e_hat, W_i))


@pytest.fixture
def tuning(nets: Nets, person: tuple[Tensor, np.ndarray], perceptual: nn.Module) -> Update:
    """The first update of fine-tuning."""
    x, y = person[0], to_tensor(draw_landmarks(person[1], 16))
    G, D = personalise(nets.generator, nets.discriminator, embed(nets, *person))
    for net in (G, D):
        power_iterate(net)
    with torch.no_grad():
        x_hat = G(y)
        l_cnt = sum(l1(f, r) for f, r in zip(perceptual(x_hat), perceptual(x), strict=True))
    settings = FineTuneSettings(epochs=1, batch=2, discriminator_steps=1, weights=WEIGHTS)
    told: list[dict[str, Tensor]] = []
    fine_tune(nets, *person, settings, perceptual, lambda done, total, terms: told.append(terms))
    assert len(told) == 1
    fake, real, l_fm = judged(D.v, D.w, D.b, x_hat, x, y)
    return Update(told[0], fake, real, l_cnt, l_fm, None)


def test_1_an_embedding_is_the_mean_over_frames(nets: Nets, batch: Batch) -> None:
    x, y = batch["x_s"], batch["y_s"]
    singly = [nets.embedder(x[:, k : k + 1], y[:, k : k + 1]) for k in range(2)]
    assert_close(nets.embedder(x, y), (singly[0] + singly[1]) / 2)


def test_2_an_image_is_made_of_a_drawing_and_p_e(nets: Nets, batch: Batch) -> None:
    G, e_hat = nets.generator, torch.rand(3, 8)
    psi_hat = e_hat @ G.projection.normalised_weight().T
    assert_close(G(batch["y_t"], G.project(e_hat)), G.synthesis(batch["y_t"], psi_hat))
    another = G(batch["y_t"], G.project(e_hat.roll(1, 0)))
    assert not torch.allclose(another, G.synthesis(batch["y_t"], psi_hat))


def test_3_the_objective_is_l_cnt_l_adv_and_l_mch(update: Update) -> None:
    assert_close(update.told["loss/cnt"], update.l_cnt)
    assert_close(update.told["loss/mch"], update.l_mch)
    l_adv = 3 * -update.fake.mean() + 5 * update.l_fm
    assert_close(update.told["loss/total"], 2 * update.l_cnt + l_adv + 7 * update.l_mch)


def test_4_l_adv_is_minus_the_score_and_l_fm(update: Update) -> None:
    assert_close(update.told["loss/adv"], -update.fake.mean())
    assert_close(update.told["loss/fm"], update.l_fm)


def test_5_a_score_is_v_times_row_plus_w0_plus_b(nets: Nets, batch: Batch) -> None:
    D, W_i = nets.discriminator, torch.randn(3, 8)
    D.b.data.fill_(0.25)
    v, _ = D.v(batch["x_t"], batch["y_t"])
    expected = torch.stack([v[n] @ (W_i[n] + D.w0) + 0.25 for n in range(3)])
    assert_close(D(batch["x_t"], batch["y_t"], W_i).score, expected)


def test_6_l_dsc_is_the_hinge(update: Update) -> None:
    expected = relu(1 + update.fake).mean() + relu(1 - update.real).mean()
    assert_close(update.told["loss/dsc"], expected)


def test_7_a_new_person_s_embedding_is_the_mean_over_t_frames(
    nets: Nets, person: tuple[Tensor, np.ndarray]
) -> None:
    x, y = person[0], to_tensor(draw_landmarks(person[1], 16))
    singly = [nets.embedder(x[None, t : t + 1], y[None, t : t + 1])[0] for t in range(2)]
    assert_close(embed(nets, *person), (singly[0] + singly[1]) / 2)


def test_8_and_9_a_person_s_networks(nets: Nets, batch: Batch) -> None:
    """With psi' = P e_hat_NEW and w' = w0 + e_hat_NEW, as they start."""
    (_, G, D), e_hat = nets, torch.rand(8)
    D.b.data.fill_(0.25)
    x, y = batch["x_t"], batch["y_t"]
    G_, D_ = personalise(G, D, e_hat)
    assert_close(G_(y), G.synthesis(y, (G.projection.normalised_weight() @ e_hat).expand(3, -1)))
    assert_close(D_(x, y).score, D.v(x, y)[0] @ (D.w0 + e_hat) + 0.25)


def test_10_fine_tuning_s_objective_is_l_cnt_and_l_adv(tuning: Update) -> None:
    """Without L_MCH."""
    assert_close(tuning.told["loss/cnt"], tuning.l_cnt)
    l_adv = 3 * -tuning.fake.mean() + 5 * tuning.l_fm
    assert_close(tuning.told["loss/total"], 2 * tuning.l_cnt + l_adv)


def test_11_fine_tuning_s_l_dsc_is_the_hinge(tuning: Update) -> None:
    expected = relu(1 + tuning.fake).mean() + relu(1 - tuning.real).mean()
    assert_close(tuning.told["loss/dsc"], expected)


def test_a_reader_finds_each_equation_by_its_number() -> None:
    package = Path(headmime.losses.__file__).parent
    found: set[int] = set()
    for file in [package / "losses.py", *package.glob("nets/*.py"), *package.glob("learning/*.py")]:
        for first, last in re.findall(r"Eq\. (\d+)(?:-(\d+))?", file.read_text()):
            found |= set(range(int(first), int(last or first) + 1))
    assert found == set(range(1, 12))
