"""Search for the minimum of N × M cosines between dense rows: probes, then balls or a streamed product."""

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
"""Number of initial rows, compared with all rows of the other table."""

SMALL = 16_384
"""Number of rows up to which the full product is used, which then takes about a second."""

GATHER = 2.5
"""Time per pair in a sweep of balls, relative to the streamed product: 1.5 to 4 measured."""


class Tables(NamedTuple):
    """Two tables ``[N, D]``, ``[M, D]`` and the inverse norms of their rows, float64; 0 for a zero row."""

    x: Tensor
    x_scale: Tensor
    y: Tensor
    y_scale: Tensor


def least_cosine(tables: Tables, floor: float, first: Tensor, means: Means) -> Minimum:
    """Computes ``min_ij cos(x_i, y_j)``, or bounds of it if the time limit is reached.

    Probes give an upper bound. Balls around the rows of y exclude pairs by the triangle inequality; a sample
    of rows estimates how many pairs remain, and if these cost more than streaming the product of all pairs,
    the product is streamed. With a time limit, all pairs below an increasing bound are computed: the last
    bound that was completed is the lower bound of the minimum.

    Args:
        tables: x and y, at least one row each.
        floor: lower bound of all cosines.
        first: initial rows of x.
        means: limits of time and memory.
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
        """Runs the search and returns a lower bound of all cosines."""
        pairs = self.pairs
        if bool((pairs.x_scale == 0).any() | (pairs.y_scale == 0).any()):
            pairs.least = 0.0
        self._probe(first)
        if pairs.least <= self.floor or self.means.left <= 0:
            return self.floor
        rate = self._rate()
        total = pairs.x.shape[0] * pairs.y.shape[0]
        if max(pairs.x.shape[0], pairs.y.shape[0]) <= SMALL:
            return self._whole()
        if pairs_to_place(pairs.y.shape[0]) > 0.5 * rate * self.means.left:
            return self.floor
        balls = Balls(pairs, self.workers)
        curve = balls.cost()
        if GATHER * curve.below(pairs.least) > total and total < 0.5 * rate * self.means.left:
            return self._whole()
        return self._raise(balls, curve, rate)

    def _probe(self, rows: Tensor) -> None:
        """Alternates between the tables, from rows to the farthest rows of the other, while the minimum falls."""
        pairs, before, forth = self.pairs, float("inf"), True
        source, target = (pairs.x, pairs.x_scale), (pairs.y, pairs.y_scale)
        while pairs.least < before or before == float("inf"):
            before = pairs.least
            farthest = _farthest(*source, rows, *target, self.workers)
            pairs.settle(*((rows, farthest) if forth else (farthest, rows)))
            pairs.looked += rows.numel() * target[0].shape[0]
            source, target, rows, forth = target, source, farthest, not forth
            if self.means.left <= 0:
                return

    def _rate(self) -> float:
        """Measures pairs per second on a few blocks of the streamed product; infinite without a time limit."""
        if not self.means.limited:
            return float("inf")
        pairs, start, looked = self.pairs, time.monotonic(), self.pairs.looked
        rows = ranges(0, min(pairs.x.shape[0], self.workers * pairs.block[0]), pairs.block[0])
        columns = slice(0, min(pairs.y.shape[0], 8 * pairs.block[1]))
        for_each(lambda some: pairs.search(some, columns), rows, self.workers)
        return (pairs.looked - looked) / (time.monotonic() - start)

    def _whole(self) -> float:
        """Computes all pairs in a stream of products."""
        done: list[bool] = []
        columns = slice(0, self.pairs.y.shape[0])
        rows = ranges(0, self.pairs.x.shape[0], self.pairs.block[0])
        for_each(lambda some: done.append(self.pairs.search(some, columns)), rows, self.workers)
        return self.pairs.least if all(done) else self.floor

    def _raise(self, balls: Balls, curve: CostCurve, rate: float) -> float:
        """Raises the lower bound: directly to the minimum, or in steps that use half of the remaining time."""
        pairs, low, previous = self.pairs, self.floor, None
        fixed, rate = balls.centres.shape[0] * pairs.x.shape[0] / rate, rate / GATHER
        while pairs.least > low:
            base, remaining = curve.below(low) if previous is not None else 0.0, self.means.left
            high = pairs.least
            # If a sweep's fixed cost exceeds that of its pairs, steps would not save time.
            if curve.below(high) > base + rate * max(0.8 * remaining - fixed, fixed):
                high = curve.affordable(base + rate * max(0.0, 0.5 * remaining - fixed))
            start, looked = time.monotonic(), pairs.looked
            if high <= low or not balls.sweep(previous, high):
                break
            low = previous = min(high, pairs.least)
            seconds = time.monotonic() - start
            fixed = min(fixed, seconds)
            rate = (pairs.looked - looked) / (seconds - fixed) if seconds > 2.0 * fixed else rate
        return low


def _farthest(
    table: Tensor, scale: Tensor, rows: Tensor, other: Tensor, other_scale: Tensor, workers: int
) -> Tensor:
    """Finds for each of ``rows`` the other table's row with the least cosine, up to rounding: ``[B]``."""
    left, blocks = unit(table, scale, rows), ranges(0, other.shape[0], BLOCK[1])
    least = left.new_empty(len(blocks), rows.numel())
    index = rows.new_empty(least.shape)

    def look(block: int) -> None:
        low, position = (left @ unit(other, other_scale, blocks[block]).t()).min(dim=1)
        least[block], index[block] = low, position + blocks[block].start

    for_each(look, range(len(blocks)), workers)
    return index.gather(0, least.argmin(dim=0, keepdim=True)).squeeze(0)
