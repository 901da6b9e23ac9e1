"""The least of N × M cosines between dense rows: probes, then balls or a streamed product."""

from __future__ import annotations

import time
from typing import NamedTuple

import torch
from torch import Tensor

from graphkd.influence._clusters import Balls, CostCurve, pairs_to_place
from graphkd.influence._minimum import Means, Minimum
from graphkd.influence._pairs import BLOCK, Pairs, ranges, unit
from graphkd.influence._threads import for_each, full_precision, workers_on

PROBES = 64
"""Rows that are compared with everything first."""

SMALL = 16_384
"""So many rows need no balls: the product takes a second."""

GATHER = 2.5
"""Time per pair that balls leave over, against one of the streamed product: 1.5 to 4 were measured."""


class Tables(NamedTuple):
    """Two tables ``[N, D]``, ``[M, D]`` and the inverse lengths of their rows, float64; 0 for a zero row."""

    x: Tensor
    x_scale: Tensor
    y: Tensor
    y_scale: Tensor


def least_cosine(tables: Tables, floor: float, first: Tensor, means: Means) -> Minimum:
    """``min_ij cos(x_i, y_j)``, or bounds of it where time ends first.

    Probes give an upper bound. Balls around the rows of y rule pairs out by the triangle inequality; a sample
    of rows says how many pairs they leave over, and where that costs more than all pairs in a stream of
    products, the stream is taken. With a limit of time, everything below a growing bound is looked at: the last
    one that was reached is the lower bound of the minimum.

    Args:
        tables: x and y, at least one row each.
        floor: no cosine is below it.
        first: rows of x to begin with.
        means: time and memory.
    """
    workers = workers_on(tables.x.device)
    search = _Search(Pairs(*tables, means, workers), floor, workers)
    with torch.no_grad(), full_precision(tables.x.device):
        low = search.run(first)
    pairs = search.pairs
    least = max(floor, pairs.least)
    share = min(1.0, pairs.looked / (tables.x.shape[0] * tables.y.shape[0]))
    return Minimum(min(low, least), least, share)


class _Search:
    def __init__(self, pairs: Pairs, floor: float, workers: int) -> None:
        self.pairs, self.floor, self.workers, self.means = pairs, floor, workers, pairs.means

    def run(self, first: Tensor) -> float:
        """What no cosine is below."""
        pairs = self.pairs
        if bool((pairs.x_scale == 0).any() | (pairs.y_scale == 0).any()):
            pairs.least = 0.0
        self._probe(first)
        if pairs.least <= self.floor or self.means.left <= 0:
            return self.floor
        rate = self._rate()
        every = pairs.x.shape[0] * pairs.y.shape[0]
        if max(pairs.x.shape[0], pairs.y.shape[0]) <= SMALL:
            return self._whole()
        if pairs_to_place(pairs.y.shape[0]) > 0.5 * rate * self.means.left:
            return self.floor
        balls = Balls(pairs, self.workers)
        curve = balls.cost()
        if GATHER * curve.below(pairs.least) > every and every < 0.5 * rate * self.means.left:
            return self._whole()
        return self._raise(balls, curve, rate)

    def _probe(self, rows: Tensor) -> None:
        """From rows to the rows of y that are farthest from them, from those back to x, and so on."""
        pairs, before, forth = self.pairs, float("inf"), True
        here, there = (pairs.x, pairs.x_scale), (pairs.y, pairs.y_scale)
        while pairs.least < before or before == float("inf"):
            before = pairs.least
            found = _farthest(*here, rows, *there, self.workers)
            pairs.settle(*((rows, found) if forth else (found, rows)))
            pairs.looked += rows.numel() * there[0].shape[0]
            here, there, rows, forth = there, here, found, not forth
            if self.means.left <= 0:
                return

    def _rate(self) -> float:
        """Pairs per second, where time is limited: a few blocks of the streamed product for each worker."""
        if not self.means.limited:
            return float("inf")
        pairs, start, looked = self.pairs, time.monotonic(), self.pairs.looked
        rows = ranges(0, min(pairs.x.shape[0], self.workers * pairs.block[0]), pairs.block[0])
        columns = slice(0, min(pairs.y.shape[0], 8 * pairs.block[1]))
        for_each(lambda some: pairs.search(some, columns), rows, self.workers)
        return (pairs.looked - looked) / (time.monotonic() - start)

    def _whole(self) -> float:
        """All pairs, in a stream of products."""
        done: list[bool] = []
        columns = slice(0, self.pairs.y.shape[0])
        rows = ranges(0, self.pairs.x.shape[0], self.pairs.block[0])
        for_each(lambda some: done.append(self.pairs.search(some, columns)), rows, self.workers)
        return self.pairs.least if all(done) else self.floor

    def _raise(self, balls: Balls, curve: CostCurve, rate: float) -> float:
        """Lifts the lower bound: at once to the least cosine, or in steps of half of what time is left."""
        pairs, low, known = self.pairs, self.floor, None
        fixed, rate = balls.centres.shape[0] * pairs.x.shape[0] / rate, rate / GATHER
        while pairs.least > low:
            base, left = curve.below(low) if known is not None else 0.0, self.means.left
            high = pairs.least
            # Where a sweep costs more than the pairs that it leaves over, steps would save nothing.
            if curve.below(high) > base + rate * max(0.8 * left - fixed, fixed):
                high = curve.affordable(base + rate * max(0.0, 0.5 * left - fixed))
            start, looked = time.monotonic(), pairs.looked
            if high <= low or not balls.sweep(known, high):
                break
            low = known = min(high, pairs.least)
            seconds = time.monotonic() - start
            fixed = min(fixed, seconds)
            rate = (pairs.looked - looked) / (seconds - fixed) if seconds > 2.0 * fixed else rate
        return low


def _farthest(
    table: Tensor, scale: Tensor, rows: Tensor, other: Tensor, other_scale: Tensor, workers: int
) -> Tensor:
    """For each of ``rows`` the row of the other table with the least cosine, but for rounding: ``[B]``."""
    left, blocks = unit(table, scale, rows), ranges(0, other.shape[0], BLOCK[1])
    least = left.new_empty(len(blocks), rows.numel())
    index = rows.new_empty(least.shape)

    def look(block: int) -> None:
        low, place = (left @ unit(other, other_scale, blocks[block]).t()).min(dim=1)
        least[block], index[block] = low, place + blocks[block].start

    for_each(look, range(len(blocks)), workers)
    return index.gather(0, least.argmin(dim=0, keepdim=True)).squeeze(0)
