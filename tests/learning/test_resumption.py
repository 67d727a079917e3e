from types import SimpleNamespace
from typing import Any

import pytest
import torch

from headmime.learning.resumption import Resumption


def trainer(batch: int, processes: int) -> SimpleNamespace:
    return SimpleNamespace(datamodule=SimpleNamespace(batch=batch), world_size=processes)


@pytest.mark.parametrize(
    ("batch", "processes", "done"), [(4, 2, 6), (8, 1, 6), (4, 1, 12), (8, 4, 1), (3, 1, 16)]
)
def test_the_share_of_the_epoch_that_is_done_stays(batch: int, processes: int, done: int) -> None:
    """Six batches of 4 in two processes; the sixth is not yet counted as completed."""
    position = {"ready": 6, "completed": 5, "started": 6, "processed": 6}
    checkpoint: dict[str, Any] = {
        "loops": {"fit_loop": {"epoch_loop.batch_progress": {"current": position}}}
    }
    Resumption().on_save_checkpoint(trainer(4, 2), None, checkpoint)
    Resumption().on_load_checkpoint(trainer(batch, processes), None, checkpoint)
    counts = {"ready": done, "completed": done - 1, "started": done, "processed": done}
    assert position == counts


def test_the_random_state_goes_on() -> None:
    checkpoint: dict[str, Any] = {}
    Resumption().on_save_checkpoint(trainer(1, 1), None, checkpoint)
    first = torch.rand(3)
    Resumption().on_load_checkpoint(trainer(1, 1), None, checkpoint)
    assert torch.equal(torch.rand(3), first)
