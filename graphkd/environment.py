"""What a caller has set for the whole process, set aside while graphkd computes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import torch

DEVICES = ("cpu", "cuda")
"""Types for which a caller may have turned autocast on."""


@contextmanager
def own_environment() -> Iterator[None]:
    """The settings that graphkd is written for; the caller's are restored.

    Default dtype float32, tensors made on the CPU, gradients as the code asks for them, no inference mode, no
    autocast, and numpy's own answers to overflow. What is not in the way stays: threads, deterministic algorithms,
    filters of warnings, the state of generators. What need not be changed is not touched: a single row is answered
    in microseconds.
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
