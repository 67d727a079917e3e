"""Three fake detectors. Each scores every frame of a lineup; higher is more likely generated."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headmime.landmarks.drawing import draw_landmarks
from headmime.learning.finetune import embed
from headmime.nets import Nets
from headmime.pixels import to_tensor
from headmime.pretrained.scorers import FeatureScorer
from headmime.studies.forensics.lineup import Lineup

BATCH = 32
SHRINKAGE = 0.1  # of the probe's feature correlations towards the identity
WIDTHS = (16, 32, 64, 64)
RATE = 2e-3


class LineupScores(NamedTuple):
    """Scores [n] (or features [n, D]) of a lineup's real and generated frames."""

    real: np.ndarray
    fake: np.ndarray


FakeDetector = Callable[[Sequence[Lineup], Sequence[Lineup]], list[LineupScores]]
"""(training lineups, test lineups of other people) -> scores of the test lineups."""


def discriminator(nets: Nets) -> FakeDetector:
    """The model's D with the person's w' = w0 + e_hat (Eq. 9), its score negated. It is not trained
    further.
    """
    device = next(nets.discriminator.parameters()).device

    @torch.inference_mode()
    def score(frames: np.ndarray, landmarks: np.ndarray, e: Tensor) -> np.ndarray:
        scores = []
        for start in range(0, len(frames), BATCH):
            x = to_tensor(frames[start : start + BATCH]).to(device)
            y = to_tensor(draw_landmarks(landmarks[start : start + BATCH], x.shape[-1])).to(device)
            scores.append(-nets.discriminator(x, y, e.expand(len(x), -1)).score)
        return torch.cat(scores).cpu().numpy()

    def detect(_: Sequence[Lineup], others: Sequence[Lineup]) -> list[LineupScores]:
        results = []
        for one in others:
            e = embed(nets, to_tensor(one.sources).to(device), one.source_landmarks)
            real = score(one.real, one.landmarks, e)
            results.append(LineupScores(real, score(one.fake, one.target, e)))
        return results

    return detect


def probe(features: FeatureScorer) -> FakeDetector:
    """A linear classifier (Fisher's, its correlations shrunk) on features of a frozen network."""

    @cache
    def extract(one: Lineup) -> LineupScores:
        return LineupScores(*(features(frames).astype(float) for frames in (one.real, one.fake)))

    def detect(training: Sequence[Lineup], others: Sequence[Lineup]) -> list[LineupScores]:
        real, fake = (np.concatenate([extract(one)[kind] for one in training]) for kind in (0, 1))
        within = np.concatenate([real - real.mean(0), fake - fake.mean(0)])
        spread = within.std(0) + 1e-9
        correlation = (within / spread).T @ (within / spread) / len(within)
        shrunk = (1 - SHRINKAGE) * correlation + SHRINKAGE * np.eye(len(correlation))
        difference = (fake.mean(0) - real.mean(0)) / spread
        direction = np.linalg.solve(shrunk, difference) / spread
        return [LineupScores(*(part @ direction for part in extract(one))) for one in others]

    return detect


def convolutional(steps: int, seed: int, device: torch.device) -> FakeDetector:
    """A small convolutional network, trained from scratch on pixels: cross-entropy, Adam, batches
    half real and half generated, randomly mirrored.
    """

    def detect(training: Sequence[Lineup], others: Sequence[Lineup]) -> list[LineupScores]:
        net = _network(seed).to(device)
        _train(net, training, steps, seed)
        return [LineupScores(_logits(net, one.real), _logits(net, one.fake)) for one in others]

    return detect


def _network(seed: int) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for before, after in zip((3, *WIDTHS), WIDTHS, strict=False):
            layers += [nn.Conv2d(before, after, 3, 2, 1), nn.GroupNorm(4, after), nn.ReLU()]
        return nn.Sequential(
            *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(WIDTHS[-1], 1)
        )


def _train(net: nn.Sequential, training: Sequence[Lineup], steps: int, seed: int) -> None:
    classes = [
        np.concatenate([getattr(one, kind) for one in training]) for kind in ("real", "fake")
    ]
    device = next(net.parameters()).device
    random = np.random.default_rng(seed)
    optimiser = torch.optim.Adam(net.parameters(), RATE)
    labels = torch.tensor([0.0, 1.0], device=device).repeat_interleave(BATCH // 2)
    for _ in range(steps):
        halves = [frames[random.integers(len(frames), size=BATCH // 2)] for frames in classes]
        batch = np.concatenate(halves)
        mirrored = random.random(BATCH) < 0.5
        batch[mirrored] = batch[mirrored, :, ::-1]
        loss = F.binary_cross_entropy_with_logits(net(to_tensor(batch).to(device))[:, 0], labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


@torch.inference_mode()
def _logits(net: nn.Sequential, frames: np.ndarray) -> np.ndarray:
    device = next(net.parameters()).device
    parts = np.split(frames, range(BATCH, len(frames), BATCH))
    return np.concatenate([net(to_tensor(part).to(device))[:, 0].cpu().numpy() for part in parts])
