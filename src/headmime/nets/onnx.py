"""Export of a person's generator to ONNX, for use without PyTorch."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import torch

from headmime.errors import HeadmimeError
from headmime.files import write_atomically
from headmime.nets.inference import InferenceGenerator

INPUT, OUTPUT = "drawing", "picture"


def check_onnx() -> None:
    """Raise HeadmimeError if the packages that write ONNX are not installed."""
    if find_spec("onnxscript") is None or find_spec("onnx") is None:
        raise HeadmimeError("Writing ONNX needs two more packages: pip install 'headmime[onnx]'.")


def write_onnx(
    path: Path | str, generator: InferenceGenerator, size: int, notes: Mapping[str, str]
) -> Path:
    """Write ``generator`` to one ONNX file with ``notes`` as metadata; return the path.

    Input ``drawing`` and output ``picture`` are float32 [1, 3, size, size], RGB in [-1, 1].
    """
    check_onnx()
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    y = torch.zeros(1, 3, size, size, device=generator.psi.device)
    program = torch.onnx.export(
        generator, (y,), input_names=[INPUT], output_names=[OUTPUT], dynamo=True, verbose=False
    )
    assert program is not None
    program.model.metadata_props.update(notes)
    with write_atomically(path) as partial:
        program.save(partial, external_data=False)
    return path
