"""Lightning's checkpoints on disk: atomic writes, memory-mapped reads."""

import os
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

from headmime.errors import HeadmimeError

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
        try:
            torch.save(checkpoint, partial)
            os.replace(partial, path)
        except RuntimeError as error:  # torch's words for a disk that is full
            raise HeadmimeError(
                f"{path} cannot be written ({_first_line(error)}); is the disk full?"
            ) from error
        finally:
            partial.unlink(missing_ok=True)

    def load_checkpoint(self, path: str | Path, *_: Any, **__: Any) -> dict[str, Any]:
        name = os.fspath(path)
        mmap = name == name.encode("utf-8", "replace").decode()  # torch maps no other names
        try:
            state = torch.load(name, map_location="cpu", weights_only=True, mmap=mmap)
            callbacks, tensors = state["callbacks"], state["state_dict"]
        except Exception as error:  # unpickling raises whatever a damaged file leads to
            raise HeadmimeError(
                f"ckpt: {path} is damaged or no state of a training ({_first_line(error)}); give"
                " another one, or remove it to start anew."
            ) from error
        state["callbacks"] = {CALLBACKS.get(k, k): v for k, v in callbacks.items()}
        names = (name.partition(".") for name in tensors)
        new = [MODULES.get(module, module) + dot + rest for module, dot, rest in names]
        state["state_dict"] = dict(zip(new, tensors.values(), strict=True))
        return state


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
