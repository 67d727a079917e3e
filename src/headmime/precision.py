"""The dtype of sums, scores and losses, and which devices compute in bfloat16."""

import torch
from torch import Tensor

CPU_FEATURES = ("avx512_bf16", "amx_bf16", "bf16")  # x86, x86, ARM


def at_least_float32(t: Tensor) -> Tensor:
    """Return t in float32 if it has half precision; float64 stays float64."""
    return t.to(torch.promote_types(t.dtype, torch.float32))


def computes_in_bfloat16(device: torch.device | str) -> bool:
    """Whether the device has native bfloat16; emulated, it is slower than float32."""
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # older versions of torch have no get_capabilities
    features = getattr(torch.cpu, "get_capabilities", dict)() if kind == "cpu" else {}
    return any(features.get(name, False) for name in CPU_FEATURES)
