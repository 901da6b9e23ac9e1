"""Which libraries with kernels are there."""

from __future__ import annotations

import functools
import importlib.util

import torch

CAPABILITY = (7, 0)
"""What triton wants of a GPU, at least."""


@functools.cache
def has_triton() -> bool:
    """Whether triton is installed, as it is with torch's CUDA builds, and any GPU is not too old for it."""
    there = importlib.util.find_spec("triton") is not None
    return there and (not torch.cuda.is_available() or torch.cuda.get_device_capability() >= CAPABILITY)


def by_triton(device: torch.device) -> bool:
    """Whether our own kernels run there."""
    return device.type == "cuda" and has_triton()


def has_torch_scatter() -> bool:
    """Whether torch-scatter can be used; one that was compiled for another torch cannot."""
    try:
        from torch_scatter import segment_csr  # noqa: F401 - loading it is the question
    except (ImportError, OSError):
        return False
    return True
