import resource
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from headmime.learning.video_embeddings import VideoEmbeddings

M, N = 6, 3
visits = st.lists(st.lists(st.integers(0, M - 1), min_size=1, max_size=4), min_size=1, max_size=12)


@settings(max_examples=30)
@given(visits=visits, seed=st.integers(0, 2**16))
def test_updates_equal_dense_adam(visits: list[list[int]], seed: int) -> None:
    """In float64, over any order of visits, a row named twice in one batch included."""
    torch.manual_seed(seed)
    rows = VideoEmbeddings(M, N, lr=0.1, beta2=0.9, eps=1e-8).double()
    dense = rows.W.clone().requires_grad_()
    adam = torch.optim.Adam([dense], lr=0.1, betas=(0.0, 0.9), eps=1e-8)
    for visit in visits:
        i = torch.tensor(visit)
        gradient = torch.randn(len(visit), N, dtype=torch.float64)
        dense.grad = torch.zeros_like(dense).index_add_(0, i, gradient)
        adam.step()
        rows.update(i, gradient)
        torch.testing.assert_close(rows.W, dense.detach(), rtol=1e-12, atol=1e-12)


def test_fetched_rows_are_leaves_and_copies() -> None:
    rows = VideoEmbeddings(M, N, lr=0.1, beta2=0.9, eps=1e-8)
    before = rows.W.clone()
    leaf = rows.fetch(torch.tensor([1, 1, 4]))
    assert leaf.is_leaf
    assert leaf.requires_grad
    leaf.data.add_(1)
    assert torch.equal(rows.W, before)


def test_only_untouched_rows_start_from_their_embeddings() -> None:
    rows = VideoEmbeddings(M, N, lr=0.1, beta2=0.9, eps=1e-8)
    rows.update(torch.tensor([1]), torch.ones(1, N))
    touched = rows.W[1].clone()
    rows.start_from(torch.tensor([1, 2]), torch.full((2, N), 7.0))
    assert torch.equal(rows.W[1], touched)
    assert rows.W[2].tolist() == [7.0] * N


def test_a_row_named_twice_starts_from_its_first_embedding() -> None:
    rows = VideoEmbeddings(M, N, lr=0.1, beta2=0.9, eps=1e-8)
    rows.start_from(torch.tensor([4, 2, 4]), torch.tensor([[1.0] * N, [2.0] * N, [3.0] * N]))
    assert rows.W[[2, 4], 0].tolist() == [2.0, 1.0]


@pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="no count of resident pages")
def test_a_million_rows_take_memory_as_they_are_touched() -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    before = resident()
    rows = VideoEmbeddings(1_000_000, 512, lr=0.1, beta2=0.9, eps=1e-8)
    assert resident() - before < 64 * 2**20
    i = torch.tensor([0, 999_999])
    rows.start_from(i, torch.ones(2, 512))
    rows.update(i, torch.ones(2, 512))
    assert resident() - before < 128 * 2**20
    assert rows.touched[i].tolist() == [1, 1]
