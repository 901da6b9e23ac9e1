import asyncio

import numpy as np
import pytest

from graphkd.deploy.server import batcher
from graphkd.deploy.server.batcher import Batcher, FloatArray


def double(rows: FloatArray) -> FloatArray:
    return 2 * rows


def rows_of(*sizes: int) -> list[FloatArray]:
    return [np.full((size, 3), place, dtype=np.float32) for place, size in enumerate(sizes)]


def answers(window: float, parts: list[FloatArray], compute=double) -> tuple[list[object], list[int], float]:
    seen: list[int] = []

    async def run() -> tuple[list[object], float]:
        made, loop = Batcher(compute, window, seen.append), asyncio.get_running_loop()
        begin = loop.time()
        found = await asyncio.gather(*(made.logits(part) for part in parts), return_exceptions=True)
        made.close()
        return found, loop.time() - begin

    found, seconds = asyncio.run(run())
    return found, seen, seconds


@pytest.mark.parametrize("window", [0.0, 0.01])
def test_each_gets_its_own_rows(window: float) -> None:
    parts = rows_of(1, 4, 2)
    found, seen, _ = answers(window, parts)
    for part, answer in zip(parts, found, strict=True):
        np.testing.assert_array_equal(answer, 2 * part)
    assert seen == ([7] if window else [1, 4, 2])


def test_nobody_waits_longer_than_the_window_nor_for_more_than_a_batch() -> None:
    _, seen, seconds = answers(0.05, rows_of(1))
    assert seen == [1]
    assert 0.04 < seconds < 1
    _, seen, seconds = answers(100.0, rows_of(batcher.ROWS))
    assert seen == [batcher.ROWS]
    assert seconds < 10


def test_large_ones_are_computed_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batcher, "SHORT", 5)
    found, _, _ = answers(0.0, rows_of(1, 3))
    assert [answer.shape for answer in found] == [(1, 3), (3, 3)]


@pytest.mark.parametrize("window", [0.0, 0.01])
def test_what_fails_fails_for_all_in_the_batch(window: float) -> None:
    def fail(rows: FloatArray) -> FloatArray:
        raise MemoryError

    found, _, _ = answers(window, rows_of(1, 2), fail)
    assert [type(each) for each in found] == [MemoryError, MemoryError]


def test_one_that_went_away_takes_nothing_from_the_others() -> None:
    async def run() -> FloatArray:
        made = Batcher(double, 0.02, lambda _: None)
        first, second = (asyncio.ensure_future(made.logits(part)) for part in rows_of(2, 3))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    np.testing.assert_array_equal(asyncio.run(run()), 2 * rows_of(2, 3)[1])
