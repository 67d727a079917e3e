"""Three detectors. Each gives every frame of a lineup a score: the higher, the more likely made."""

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
SHRINKAGE = 0.1  # of the correlations of the probe's features
WIDTHS = (16, 32, 64, 64)
RATE = 2e-3


class LineupScores(NamedTuple):
    """Of one lineup: float [n] (features: [n, D]) of its real frames and of its made ones."""

    real: np.ndarray
    made: np.ndarray


FakeDetector = Callable[[Sequence[Lineup], Sequence[Lineup]], list[LineupScores]]
"""Lineups to learn from, lineups of other people -> the scores of these."""


def discriminator(nets: Nets) -> FakeDetector:
    """The model's own D with the person's w' = w0 + e_hat (Eq. 9), its score negated. It has
    learned already, and learns nothing here.
    """
    size_of = next(nets.discriminator.parameters())

    @torch.inference_mode()
    def judged(frames: np.ndarray, landmarks: np.ndarray, e: Tensor) -> np.ndarray:
        scores = []
        for start in range(0, len(frames), BATCH):
            x = to_tensor(frames[start : start + BATCH]).to(size_of.device)
            y = to_tensor(draw_landmarks(landmarks[start : start + BATCH], x.shape[-1])).to(
                size_of.device
            )
            scores.append(-nets.discriminator(x, y, e.expand(len(x), -1)).score)
        return torch.cat(scores).cpu().numpy()

    def detect(_: Sequence[Lineup], others: Sequence[Lineup]) -> list[LineupScores]:
        found = []
        for one in others:
            e = embed(nets, to_tensor(one.sources).to(size_of.device), one.source_landmarks)
            real = judged(one.real, one.landmarks, e)
            found.append(LineupScores(real, judged(one.made, one.asked, e)))
        return found

    return detect


def probe(features: FeatureScorer) -> FakeDetector:
    """A linear classifier (Fisher's, its correlations shrunk) on features of a frozen network."""

    @cache
    def seen(one: Lineup) -> LineupScores:
        return LineupScores(*(features(frames).astype(float) for frames in (one.real, one.made)))

    def detect(learned: Sequence[Lineup], others: Sequence[Lineup]) -> list[LineupScores]:
        real, made = (np.concatenate([seen(one)[kind] for one in learned]) for kind in (0, 1))
        within = np.concatenate([real - real.mean(0), made - made.mean(0)])
        spread = within.std(0) + 1e-9
        correlation = (within / spread).T @ (within / spread) / len(within)
        shrunk = (1 - SHRINKAGE) * correlation + SHRINKAGE * np.eye(len(correlation))
        apart = (made.mean(0) - real.mean(0)) / spread
        direction = np.linalg.solve(shrunk, apart) / spread
        return [LineupScores(*(part @ direction for part in seen(one))) for one in others]

    return detect


def trained(steps: int, seed: int, device: torch.device) -> FakeDetector:
    """A small convolutional network, trained on the pixels from nothing: cross-entropy, Adam, half
    real and half made in every batch, mirrored at random.
    """

    def detect(learned: Sequence[Lineup], others: Sequence[Lineup]) -> list[LineupScores]:
        net = _network(seed).to(device)
        _train(net, learned, steps, seed)
        return [LineupScores(_logits(net, one.real), _logits(net, one.made)) for one in others]

    return detect


def _network(seed: int) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for before, after in zip((3, *WIDTHS), WIDTHS, strict=False):
            layers += [nn.Conv2d(before, after, 3, 2, 1), nn.GroupNorm(4, after), nn.ReLU()]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(after, 1))


def _train(net: nn.Sequential, learned: Sequence[Lineup], steps: int, seed: int) -> None:
    classes = [np.concatenate([getattr(one, kind) for one in learned]) for kind in ("real", "made")]
    device = next(net.parameters()).device
    random = np.random.default_rng(seed)
    optimiser = torch.optim.Adam(net.parameters(), RATE)
    labels = torch.tensor([0.0, 1.0], device=device).repeat_interleave(BATCH // 2)
    for _ in range(steps):
        drawn = [frames[random.integers(len(frames), size=BATCH // 2)] for frames in classes]
        batch = np.concatenate(drawn)
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
