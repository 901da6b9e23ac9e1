import threading
import time
from collections.abc import Iterator

import pytest

from graphkd.prefetch import ahead


def test_the_same_items_in_the_same_order() -> None:
    assert list(ahead(range(7))) == list(range(7))
    assert list(ahead([])) == []
    assert list(ahead([None, 0, None])) == [None, 0, None]


def test_one_item_is_made_while_one_is_in_use_and_never_two() -> None:
    made: list[int] = []
    second = threading.Event()

    def items() -> Iterator[int]:
        for item in range(5):
            made.append(item)
            if item == 1:
                second.set()
            yield item

    source = ahead(items())
    assert next(source) == 0
    assert second.wait(10)  # without being asked for
    time.sleep(0.02)
    assert made == [0, 1]
    assert list(source) == [1, 2, 3, 4]


def test_what_fails_there_fails_here_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    source, threads = ahead(items()), threading.active_count()
    assert next(source) == 1
    with pytest.raises(OSError, match="the disk is gone"):
        next(source)
    assert threading.active_count() == threads


def test_a_consumer_that_stops_early_leaves_no_thread_behind() -> None:
    threads, closed = threading.active_count(), []

    def items() -> Iterator[int]:
        try:
            yield from range(100)
        finally:
            closed.append(True)

    source = ahead(items())
    assert next(source) == 0
    source.close()
    del source
    assert threading.active_count() == threads
    assert closed == [True]
