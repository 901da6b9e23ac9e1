"""The dense and sparse products of a piece of work, recorded so that they can be called again alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

PRODUCTS = ("mm", "addmm", "bmm", "baddbmm", "_embedding_bag", "_embedding_bag_forward_only")


@dataclass
class Products(TorchDispatchMode):
    """Counts products by operator and shapes, and keeps what is needed to call them again."""

    count: Counter[Any] = field(default_factory=Counter)
    calls: dict[Any, Callable[[], object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.overloadpacket.__name__ in PRODUCTS:
            key = (func.name(), *(tuple(arg.shape) if isinstance(arg, torch.Tensor) else arg for arg in args))
            self.count[key] += 1
            if key not in self.calls:
                kept = [_like(arg) for arg in args]
                self.calls[key] = lambda: func(*kept, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def products_of(run: Callable[[int], object]) -> list[Callable[[], object]]:
    """Those of one epoch: what a second epoch adds to the products of the first."""
    one, two = Products(), Products()
    with one:
        run(1)
    with two:
        run(2)
    per_epoch = two.count - one.count
    return [two.calls[key] for key, times in per_epoch.items() for _ in range(times)]


def _like(arg: Any) -> Any:
    """A dense tensor with other numbers, transposed where it was; sparse ones and indices as they are."""
    if not isinstance(arg, torch.Tensor) or not arg.is_floating_point():
        return arg
    if arg.layout != torch.strided:
        return arg
    if arg.dim() == 2 and arg.stride(0) == 1 and arg.stride(1) != 1:
        return torch.randn(arg.shape[1], arg.shape[0], dtype=arg.dtype, device=arg.device).t()
    return torch.randn(arg.shape, dtype=arg.dtype, device=arg.device)
