"""Lightning's checkpoints on disk: atomic writes, memory-mapped reads."""

import os
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

# Names in states of version 0.1.0 -> current names.
CALLBACKS = {
    "Averages": "MovingAverages",
    "Curves": "MetricLogger",
    "Grids": "SampleGridCallback",
    "Keep": "CheckpointCallback",
    "Watch": "DivergenceMonitor",
}
MODULES = {"rows": "video_embeddings"}


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes a temporary file and renames it; reads tensors only (nothing is unpickled), memory
    mapped, so that the processes of one machine share one copy of W.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".part")
        torch.save(checkpoint, partial)
        os.replace(partial, path)

    def load_checkpoint(self, path: str | Path, *_: Any, **__: Any) -> dict[str, Any]:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        state["callbacks"] = {CALLBACKS.get(k, k): v for k, v in state["callbacks"].items()}
        names = (name.partition(".") for name in state["state_dict"])
        new = [MODULES.get(module, module) + dot + rest for module, dot, rest in names]
        state["state_dict"] = dict(zip(new, state["state_dict"].values(), strict=True))
        return state
