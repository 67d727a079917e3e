"""The training step through torch.compile, which fuses what lies between matrix products."""

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
"""At most, of one network: up to three for every side in `growing`."""


@contextmanager
def compiled_step(module: MetaLearning) -> Iterator[None]:
    """Inside, ``module.training_step`` computes with E, G, D and the perceptual network compiled,
    one graph each, anew for every size of image. The networks themselves, with their names and
    parameters, stay as they are, also for everybody else: grids, validation, copies.
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


def should_compile(asked: bool | None, device: str) -> bool:
    """Whether the step is compiled on this kind of device: as ``asked``; None is yes on CUDA, but
    no, with a warning, where it does not work. Raises HeadmimeError if it must and cannot.
    """
    if asked is False or (asked is None and device != "cuda"):
        return False
    try:
        torch.compile(torch.square, backend=BACKEND)(torch.ones(2, device=device))
    except Exception as error:  # a missing compiler or header, a device too old, ...
        first = " ".join(str(error).splitlines()[:2])
        said = f"torch.compile does not work here: {type(error).__name__}: {first}"
        if asked:
            raise HeadmimeError(f"trainer.compile=true: {said}") from error
        rank_zero_only(log.warning)(
            "%s (it needs a C++ compiler, and Triton on a GPU). The run goes on, more slowly, as"
            " with trainer.compile=false.",
            said,
        )
        return False
    return True
