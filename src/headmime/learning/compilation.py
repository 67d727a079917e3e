"""The training step with torch.compile, which fuses the operations between matrix products."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from pytorch_lightning.utilities import rank_zero_only

from headmime.errors import HeadmimeError
from headmime.learning.meta import MetaLearning

log = logging.getLogger(__name__)
BACKEND = "inductor"
GRAPHS = 64
"""Most graphs per network: up to three for each side in `growing`."""


@contextmanager
def compiled_step(module: MetaLearning) -> Iterator[None]:
    """Inside this context ``module.training_step`` runs E, G, D and the perceptual network
    compiled, one graph each, recompiled per image size. The modules, their names and parameters do
    not change; other callers (grids, validation, copies) run them eagerly.
    """
    E, G, D = module.nets
    nets, step = (E, G.synthesis, D, module.perceptual), module.training_step
    with (
        torch._dynamo.config.patch(recompile_limit=GRAPHS),
        torch.compiler.set_stance("force_eager"),
    ):
        for net in nets:
            net.compile(backend=BACKEND, fullgraph=True, dynamic=False)
        module.training_step = torch.compiler.set_stance("default")(step)
        try:
            yield
        finally:
            del module.training_step
            for net in nets:
                net._compiled_call_impl = None


def should_compile(setting: bool | None, device: str) -> bool:
    """Whether to compile the step on this device type: ``setting``; None means yes on CUDA, or no,
    with a warning, where torch.compile fails. HeadmimeError if ``setting`` is True and it fails.
    """
    if setting is False or (setting is None and device != "cuda"):
        return False
    try:
        torch.compile(torch.square, backend=BACKEND)(torch.ones(2, device=device))
    except Exception as error:  # a missing compiler or header, a device too old, ...
        first = " ".join(str(error).splitlines()[:2])
        reason = f"torch.compile does not work here: {type(error).__name__}: {first}"
        if setting:
            raise HeadmimeError(f"trainer.compile=true: {reason}") from error
        rank_zero_only(log.warning)(
            "%s (it needs a C++ compiler, and Triton on a GPU). The run continues, more slowly, as"
            " with trainer.compile=false.",
            reason,
        )
        return False
    return True
