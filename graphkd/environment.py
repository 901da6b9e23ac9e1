"""Process-wide settings of torch and numpy, overridden while graphkd computes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import torch

DEVICES = ("cpu", "cuda")
"""Device types for which a caller may have enabled autocast."""


@contextmanager
def own_environment() -> Iterator[None]:
    """Sets the process-wide settings that graphkd requires, and restores the caller's on exit.

    Default dtype float32, default device CPU, gradients enabled, no inference mode, no autocast, and numpy's
    default floating-point error handling. Other settings are unchanged: threads, deterministic algorithms, warning
    filters, generator states. Settings that are already right are not set again, since predicting a single row
    takes microseconds.
    """
    before = torch.get_default_dtype()
    with ExitStack() as stack:
        stack.enter_context(np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"))
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(False))
        if not torch.is_grad_enabled():
            stack.enter_context(torch.enable_grad())
        for device in DEVICES:
            if torch.is_autocast_enabled(device):
                stack.enter_context(torch.autocast(device, enabled=False))
        if torch.get_default_device() != torch.device("cpu"):
            stack.enter_context(torch.device("cpu"))
        if before != torch.float32:
            stack.callback(torch.set_default_dtype, before)
            torch.set_default_dtype(torch.float32)
        yield
