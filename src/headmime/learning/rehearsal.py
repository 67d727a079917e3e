"""Rehearsal: frames of other people in fine-tuning (a deviation; off in `finetune=paper`).

Fine-tuning on one image overfits: the output no longer follows the landmarks. Rehearsing a few
people with their own, fixed AdaIN parameters keeps psi dependent on landmarks; psi' is trained on
the new person only.
"""

from collections.abc import Iterable
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from headmime.landmarks.closeups import closeup_strips
from headmime.landmarks.drawing import draw_landmarks
from headmime.nets import Nets
from headmime.pixels import to_tensor


class Rehearsal(NamedTuple):
    """R frames x and drawings y [R, 3, S, S] in [-1, 1], with their people's psi_hat [R, A]
    and the strips [R, 2, 2, 3] of eyes and mouth.
    """

    x: Tensor
    y: Tensor
    psi: Tensor
    strips: Tensor

    @classmethod
    @torch.no_grad()
    def of(cls, nets: Nets, people: Iterable[tuple[np.ndarray, np.ndarray]]) -> Self:
        """Prepare people given as (frames uint8 [T, S, S, 3], landmarks [T, 68, 2])."""
        device = next(nets.embedder.parameters()).device
        xs, ys, psis, nears = [], [], [], []
        for frames, landmarks in people:
            x = to_tensor(frames).to(device)
            y = to_tensor(draw_landmarks(landmarks, frames.shape[1])).to(device)
            psi_hat = nets.generator.project(nets.embedder(x[None], y[None]))
            xs.append(x)
            ys.append(y)
            psis.append(psi_hat.expand(len(x), -1))
            nears.append(torch.from_numpy(closeup_strips(landmarks)).to(device))
        return cls(torch.cat(xs), torch.cat(ys), torch.cat(psis), torch.cat(nears))

    def sample(self, n: int, rng: np.random.Generator) -> "Rehearsal":
        """Draw n different frames."""
        chosen = torch.from_numpy(rng.choice(len(self.x), n, replace=False))
        return Rehearsal(*(tensor[chosen] for tensor in self))
