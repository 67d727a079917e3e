"""Another embedding is another start, and nothing else."""

import numpy as np
import torch

from headmime.learning.finetune import embed
from headmime.learning.init_embeddings import (
    average_embedding,
    random_embedding,
    with_fixed_embedding,
)
from headmime.nets import Nets
from headmime.nets.personal import personalise


def test_everybody_has_the_given_embedding(nets: Nets) -> None:
    """psi' = P e and w' = w0 + e, whoever is shown."""
    e = torch.arange(8.0)
    other = with_fixed_embedding(e, nets)
    for seed in (0, 1):
        x = torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(seed))
        found = embed(other, x, np.full((3, 68, 2), 0.5, np.float32))
        assert torch.equal(found, e)
    person = personalise(other.generator, other.discriminator, found)
    assert torch.equal(person.generator.psi, nets.generator.project(e[None])[0])
    assert torch.equal(person.discriminator.w, nets.discriminator.w0 + e)
    assert other[1:] == nets[1:]


def test_the_average_is_over_people() -> None:
    people = torch.tensor([[0.0, 4.0], [2.0, 0.0]])
    assert average_embedding(people).tolist() == [1, 2]


def test_a_random_start_is_nobody_but_of_the_usual_size() -> None:
    people = torch.arange(40.0)[:, None] + 100 * torch.arange(256.0)  # [40, 256]
    e = random_embedding(people, seed=3)
    assert torch.equal(e // 100, torch.arange(256.0))  # each number is one of its own column
    assert len(set((e % 100).tolist())) > 30  # and from people all over
    assert torch.equal(e, random_embedding(people, seed=3))
    assert not torch.equal(e, random_embedding(people, seed=4))
