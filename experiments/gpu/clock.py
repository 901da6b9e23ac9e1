"""Times of a device, by its own events, and graphs of the two sizes."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import torch

from graphkd.datasets import Graph
from graphkd.sparse import Adjacency

SIZES = {"arxiv": (169_343, 2_332_486, 128, 40), "products": (2_449_029, 123_718_280, 100, 47)}
"""Nodes, directed edges, features and classes of the two OGB graphs."""


def milliseconds(call: Callable[[], object], repeats: int = 10, warm: int = 3) -> float:
    """Median time of a call on the device."""
    for _ in range(warm):
        call()
    times = []
    for _ in range(repeats):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        call()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end))
    return statistics.median(times)


def copy_rate() -> float:
    """Gigabytes per second of a copy on the device, read and written."""
    source = torch.randn(2**28, device="cuda")
    target = torch.empty_like(source)
    return 2 * source.nbytes / milliseconds(lambda: target.copy_(source)) / 1e6


def power_law(size: str) -> Adjacency:
    """A graph of that size on the device; degrees fall as rank^(-1/2), a power law of exponent 3."""
    nodes, edges, _, _ = SIZES[size]
    generator = torch.Generator("cuda").manual_seed(0)
    half = (nodes * torch.rand(2, edges // 2, device="cuda", generator=generator) ** 2).long()
    return Adjacency(torch.cat([half, half.flip(0)], dim=1), nodes)


def drawn_graph(size: str) -> Graph:
    """The same with features and labels; a tenth of the nodes each for training and validation."""
    nodes, _, width, classes = SIZES[size]
    generator = torch.Generator("cuda").manual_seed(1)
    y = torch.randint(classes, (nodes,), device="cuda", generator=generator)
    x = torch.randn(nodes, width, device="cuda", generator=generator)
    x += torch.randn(classes, width, device="cuda", generator=generator)[y]
    train, val, test = torch.randperm(nodes, device="cuda", generator=generator).split(
        [nodes // 10, nodes // 10, nodes - 2 * (nodes // 10)]
    )
    return Graph(x, power_law(size), y, train, val, test, classes)
