"""One of several training processes: `python worker.py FOLDER RANK RANKS BATCH PARTS`.

Trains tiny networks in float64 on pictures that are a function of the episode's number, the first
of them smaller, and writes what it holds at the end to FOLDER/RANK.pt.
"""

import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import torch
import torch.distributed as dist
from torch import Tensor, nn

from headmime.data.episodes import EpisodeSampler
from headmime.errors import HeadmimeError
from headmime.learning import distributed
from headmime.learning.callbacks import CheckpointCallback
from headmime.learning.curriculum import Curriculum, side_at
from headmime.learning.meta import MetaLearning
from headmime.learning.settings import LossWeights, Optimisation, Stage
from headmime.learning.validation import Validation
from headmime.learning.video_embeddings import VideoEmbeddings
from headmime.nets import build_nets
from headmime.nets.shape import ModelShape
from headmime.nets.spectral import SpectralLinear

VIDEOS, BATCHES, SMALL = 7, 50, 10
SHAPE = ModelShape(
    image_size=16,
    width=4,
    max_width=8,
    generator_levels=2,
    bottleneck_blocks=1,
    attention_down=8,
    attention_up=8,
)


class PixelsAsFeatures(nn.Module):
    def forward(self, images: Tensor) -> list[Tensor]:
        return [images, nn.functional.avg_pool2d(images, 4)]


def main(folder: Path, rank: int, ranks: int, batch: int, parts: int) -> None:
    torch.set_num_threads(1)
    if ranks > 1:
        dist.init_process_group(
            "gloo", init_method=f"file://{folder / 'store'}", rank=rank, world_size=ranks
        )
    said = exchanged(rank) if ranks > 1 else {}
    validated: list[tuple[int, float]] = []
    module = trained(rank, ranks, batch, parts, validated)
    holds = {"state": module.state_dict(), "said": said, "validated": validated}
    torch.save(holds, folder / f"{rank}.pt")


def trained(
    rank: int, ranks: int, batch: int, parts: int, validated: list[tuple[int, float]]
) -> MetaLearning:
    """The module at the end; ``validated`` gets the episodes seen and val/cnt, every 20 batches."""
    torch.manual_seed(0)
    rates = Optimisation(
        lr_generator=1e-3, lr_discriminator=2e-3, lr_video_embeddings=1e-2, accumulate=parts
    )
    nets, perceptual = build_nets(SHAPE), PixelsAsFeatures()
    module = MetaLearning(nets, VIDEOS, perceptual, LossWeights(), rates).double()
    optimisers = module.configure_optimizers()
    module.optimizers = lambda: optimisers
    module.manual_backward = lambda loss: loss.backward()
    sampler = EpisodeSampler(VIDEOS, batch * parts, rank=rank, ranks=ranks)
    stages = [Stage(side=8, episodes=SMALL * batch * parts * ranks, rate=2.0)]
    curriculum = Curriculum(stages, SHAPE.image_size, warmup=30, new_layers_first=0)
    curriculum.on_fit_start(None, module)
    logger = SimpleNamespace(
        log_metrics=lambda values, step: validated.append((step, values["val/cnt"])),
        save=lambda: None,
    )
    trainer = SimpleNamespace(
        datamodule=SimpleNamespace(episodes=0),
        is_global_zero=rank == 0,
        loggers=[logger],
        precision_plugin=SimpleNamespace(val_step_context=nullcontext),
        progress_bar_metrics={},
    )
    held_out = SimpleNamespace(batch=lambda numbers: episodes(numbers, SHAPE.image_size))
    validation = Validation(held_out, 5, 2, 20, perceptual, lambda nets: nets, None, None)
    validation.on_fit_start(trainer, module)
    for _ in range(BATCHES):
        numbers = next(iter(sampler))
        sampler.start = sampler.after(torch.tensor(numbers))
        drawn = episodes(numbers, side_at(stages, SHAPE.image_size, numbers[-1]))
        trainer.datamodule.episodes = sampler.start
        curriculum.on_train_batch_start(trainer, module, drawn, 0)
        module.training_step(drawn, 0)
        validation.on_train_batch_end(trainer, module, None, drawn, 0)
    validation.on_train_end(trainer, module)
    return module


def episodes(numbers: list[int], side: int) -> dict[str, Tensor]:
    drawn = [torch.Generator().manual_seed(n) for n in numbers]
    source, target = (2, 3, side, side), (3, side, side)
    shapes = {"x_s": source, "y_s": source, "x_t": target, "y_t": target}
    pictures = {
        name: torch.stack([torch.rand(s, generator=g, dtype=torch.float64) * 2 - 1 for g in drawn])
        for name, s in shapes.items()
    }
    return pictures | {"row": torch.tensor([n * n % VIDEOS for n in numbers])}


def exchanged(rank: int) -> dict[str, Tensor | str]:
    """What the collectives make of tensors that differ by process."""
    own = torch.full((2, 3), float(rank), dtype=torch.float64)
    parameters = [nn.Parameter(torch.zeros(n)) for n in (3, 5, 2)]
    parameters[0].grad, parameters[2].grad = torch.full((3,), 1.0 + rank), torch.full((2,), 2.0)
    distributed.BUCKET = 3  # several buckets
    distributed.mean_gradients(parameters)
    assert parameters[1].grad is None
    try:
        differing = {"same": torch.ones(2), "other": torch.ones(2) * rank}
        distributed.require_equal(differing, "give them the same seed.")
        complaint = ""
    except HeadmimeError as error:
        complaint = str(error)
    distributed.require_equal({"same": torch.ones(()), "ids": torch.arange(3)}, "")
    return {
        "gathered": distributed.all_gather(own),
        "mean": distributed.mean_over_processes(own),
        "least": distributed.min_over_processes(own),
        "gradients": torch.cat([parameters[0].grad, parameters[2].grad]),
        "complaint": complaint,
        "at a save": kept(rank, float(rank)),
        "of equals": kept(rank, 1.0),
        "rows": rows_named_by_both(rank),
    }


def kept(rank: int, bias: float) -> str:
    """What `CheckpointCallback` writes, or says, when this process has learnt ``bias``; u may
    differ.
    """
    torch.manual_seed(0)
    layer = SpectralLinear(3, 2)
    layer.bias.data.fill_(bias)
    layer.u.fill_(rank)
    written: list[str] = []
    trainer = SimpleNamespace(
        is_global_zero=rank == 0,
        datamodule=SimpleNamespace(episodes=8),
        save_checkpoint=lambda path: written.append(str(path)),
    )
    monitor = SimpleNamespace(check=lambda module, episode: None)
    checkpoints = CheckpointCallback(
        1, Path("last.ckpt"), lambda module, seen: written.append("weights"), monitor
    )
    try:
        checkpoints.run(trainer, nn.Sequential(layer))
    except HeadmimeError as error:
        written.append(str(error))
    return ", ".join(written)


def rows_named_by_both(rank: int) -> Tensor:
    """W after updates in which process 0 names rows 1, 2 and process 1 names rows 2, 4."""
    rows = VideoEmbeddings(6, 3, lr=0.1, beta2=0.9, eps=1e-8).double()
    i = torch.tensor([[1, 2], [2, 4]][rank])
    for k in range(4):
        gradient = torch.full((2, 3), 1.0 + k + rank, dtype=torch.float64)
        everywhere = distributed.all_gather(i), distributed.all_gather(gradient)
        rows.start_from(everywhere[0], torch.ones_like(everywhere[1]) * everywhere[1])
        rows.update(*everywhere)
    return rows.W


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
