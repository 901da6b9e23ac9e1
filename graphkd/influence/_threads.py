"""Work in threads, at full precision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import torch

Item = TypeVar("Item")


def workers_on(device: torch.device) -> int:
    """As many as torch has threads on a CPU; one where an accelerator does the work."""
    return torch.get_num_threads() if device.type == "cpu" else 1


def for_each(function: Callable[[Item], object], items: Iterable[Item], workers: int) -> None:
    """Calls ``function`` on each item, in ``workers`` threads with one torch thread each.

    A product that is split over threads waits for the slowest of them at every block; whole blocks do not.
    """
    if workers == 1:
        for item in items:
            function(item)
        return
    before = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            for _ in pool.map(function, items):
                pass
    finally:
        torch.set_num_threads(before)  # the last call counts for all threads that come later


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """float32 products in float32, whatever is allowed elsewhere: no TF32, no bfloat16, no autocast."""
    with torch.autocast(device.type, enabled=False), _ieee():
        yield


@contextmanager
def _ieee() -> Iterator[None]:
    products: list[Any] = [torch.backends.cuda.matmul, getattr(torch.backends.mkldnn, "matmul", None)]
    if products[1] is None:  # torch before 2.9 has one setting for all
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("highest")
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(before)
        return
    kept = [each.fp32_precision for each in products]
    try:
        for each in products:
            each.fp32_precision = "ieee"
        yield
    finally:
        for each, precision in zip(products, kept, strict=True):
            each.fp32_precision = precision
