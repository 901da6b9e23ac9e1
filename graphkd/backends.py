"""Availability of kernel libraries: triton and torch-scatter."""

from __future__ import annotations

import functools
import importlib.util

import torch

CAPABILITY = (7, 0)
"""Minimum CUDA compute capability for triton."""


@functools.cache
def has_triton() -> bool:
    """Returns whether triton is installed, as with torch's CUDA builds, and supports the GPU, if there is one."""
    installed = importlib.util.find_spec("triton") is not None
    return installed and (not torch.cuda.is_available() or torch.cuda.get_device_capability() >= CAPABILITY)


def by_triton(device: torch.device) -> bool:
    """Returns whether graphkd's triton kernels run on a device."""
    return device.type == "cuda" and has_triton()


def has_torch_scatter() -> bool:
    """Returns whether torch-scatter can be imported; a build for another torch version cannot."""
    try:
        from torch_scatter import segment_csr  # noqa: F401 - loading it is the test
    except (ImportError, OSError):
        return False
    return True
