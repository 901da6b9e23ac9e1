"""Thread pool and full-precision context of the search."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import torch

Item = TypeVar("Item")


def workers_on(device: torch.device) -> int:
    """Returns the number of workers: torch's threads on a CPU, 1 on an accelerator."""
    return torch.get_num_threads() if device.type == "cpu" else 1


def for_each(function: Callable[[Item], object], items: Iterable[Item], workers: int) -> None:
    """Calls ``function`` on each item, in ``workers`` threads with one torch thread each.

    A product that is split over threads synchronises at every block; whole blocks per thread do not.
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
        torch.set_num_threads(before)  # the setting applies to all threads started later


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Disables TF32, bfloat16 and autocast in the block, so that float32 products are in full precision."""
    with torch.autocast(device.type, enabled=False), _ieee():
        yield


@contextmanager
def _ieee() -> Iterator[None]:
    backends: list[Any] = [torch.backends.cuda.matmul, getattr(torch.backends.mkldnn, "matmul", None)]
    if backends[1] is None:  # torch before 2.9 has one global setting
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("highest")
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(before)
        return
    saved = [setting.fp32_precision for setting in backends]
    try:
        for setting in backends:
            setting.fp32_precision = "ieee"
        yield
    finally:
        for setting, precision in zip(backends, saved, strict=True):
            setting.fp32_precision = precision
