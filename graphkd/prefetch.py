"""Prefetching of an iterator's next item in a background thread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterable[T]) -> Iterator[T]:
    """Yields the same items, produced by a background thread, at most one ahead of the consumer.

    An exception in that thread is raised to the consumer at its item. A consumer that stops early waits for the
    item in progress.
    """
    source, end = iter(items), object()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead") as thread:
        future = thread.submit(next, source, end)
        while (item := future.result()) is not end:
            future = thread.submit(next, source, end)
            yield item  # type: ignore[misc]
