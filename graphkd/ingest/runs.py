"""Sorted runs of edges in files, and their merge: an external merge sort."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.atomic_io import whole_file

Keys = NDArray[np.int64]

WEIGHTED = np.dtype([("key", np.int64), ("weight", np.float64)])
"""An edge with a weight in a file; without weights it is its key alone."""


@dataclass(frozen=True)
class Entries:
    """Edges, sorted.

    Args:
        keys: ``[e]``, ``row · N + column`` of each.
        weight: ``[e]`` float64, or ``None``.
    """

    keys: Keys
    weight: NDArray[np.float64] | None = None

    def packed(self) -> NDArray[Any]:
        """Returns the edges as they are in a file."""
        if self.weight is None:
            return self.keys
        records = np.empty(self.keys.size, WEIGHTED)
        records["key"], records["weight"] = self.keys, self.weight
        return records


Combine = Callable[[Keys, NDArray[np.float64], int], NDArray[np.float64]]
"""Number of each edge's first copy, weights and the count of different edges → their weights."""


def summed(number: Keys, weight: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Adds the weights of copies one by one in their order, as ``graphkd.edges.merge`` does, to the bit."""
    total: NDArray[np.float64] = np.bincount(number, weights=weight, minlength=count).astype(np.float64)
    return total


def largest(number: Keys, weight: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Returns the largest weight of the copies."""
    starts = np.flatnonzero(np.diff(number, prepend=-1))
    return np.maximum.reduceat(weight, starts) if count else weight


def sorted_run(keys: Keys, weight: NDArray[np.float64] | None, combine: Combine | None = None) -> Entries:
    """Sorts edges by key; without weights, ``keys`` themselves are sorted and duplicates dropped.

    Args:
        keys: ``[e]``.
        weight: ``[e]``, or ``None``.
        combine: of the weights of copies; ``None`` keeps them all, in their order.
    """
    if weight is None:
        keys.sort()
        new = _first_copies(keys)
        return Entries(keys if new.all() else keys[new])
    order = np.argsort(keys, kind="stable")
    keys, weight = keys[order], weight[order]
    if combine is None:
        return Entries(keys, weight)
    new = _first_copies(keys)
    number = np.cumsum(new) - 1
    return Entries(keys[new], combine(number, weight, int(new.sum())))


def write_run(path: Path, parts: Iterator[Entries]) -> None:
    """Writes sorted edges to a file, which exists once it is complete."""
    with whole_file(path) as draft, draft.open("wb") as file:
        for part in parts:
            part.packed().tofile(file)


def open_run(path: Path, weighted: bool) -> NDArray[Any]:
    """Maps a file of ``write_run``."""
    dtype = WEIGHTED if weighted else np.dtype(np.int64)
    if path.stat().st_size == 0:  # which cannot be mapped
        return np.empty(0, dtype)
    return np.memmap(path, dtype, "r")


def merged(runs: Sequence[NDArray[Any]], most: int, combine: Combine) -> Iterator[Entries]:
    """Merges sorted runs, earlier ones first among copies of an edge.

    Ranges of keys are gathered from all runs and sorted in memory: much faster than a merge edge by edge.

    Args:
        runs: of ``open_run``.
        most: edges in memory at the same time, apart from copies of one edge.
        combine: of the weights of copies.

    Yields:
        The different edges, in order.
    """
    keys = [run["key"] if run.dtype == WEIGHTED else run for run in runs]
    starts = [0] * len(runs)
    for bound in _bounds(keys, most):
        stops = [int(np.searchsorted(each, bound)) for each in keys]
        pieces = [run[start:stop] for run, start, stop in zip(runs, starts, stops, strict=True) if stop > start]
        starts = stops
        if pieces:
            piece = np.concatenate(pieces)
            weight = np.ascontiguousarray(piece["weight"]) if piece.dtype == WEIGHTED else None
            yield sorted_run(piece if weight is None else np.ascontiguousarray(piece["key"]), weight, combine)


def _bounds(keys: Sequence[Keys], most: int) -> Iterator[int]:
    """Yields bounds between which there are at most ``most`` keys, the last one above all."""
    step = max(most // (2 * max(len(keys), 1)), 1)
    samples = np.sort(np.concatenate([each[::step] for each in keys])) if keys else np.empty(0, np.int64)
    # Up to k samples there are at most k + K steps of keys, for the K runs.
    taken = max(most // step - len(keys), 1)
    yield from np.unique(samples[taken::taken]).tolist()
    yield np.iinfo(np.int64).max


def _first_copies(keys: Keys) -> NDArray[np.bool_]:
    new = np.ones(keys.size, dtype=np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=new[1:])
    return new
