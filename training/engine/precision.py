"""Mixed precision with bfloat16, where the processor has it."""

from __future__ import annotations

import torch

# Without AVX-512, oneDNN refuses recurrent layers in bfloat16, and everything else in it is slow.
SUPPORTED: bool = torch.ops.mkldnn._is_mkldnn_bf16_supported()


def mixed_precision(enabled: bool = True) -> torch.autocast:
    """A context in which products are computed in bfloat16; in one that is not enabled, or on other processors, in 32 bits."""
    return torch.autocast("cpu", torch.bfloat16, enabled=enabled and SUPPORTED)
