"""Tables to drop from."""

from __future__ import annotations

import torch
from torch import Tensor


def of(shape: tuple[int, ...], dtype: torch.dtype, seed: int) -> Tensor:
    """Normal entries."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)
