"""``graphkd distill`` in double precision: what is left of a difference is no rounding of single precision."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import torch

from graphkd.cli import main
from graphkd.datasets import Graph

FROM_DATA = Graph.from_data


def doubled(*args: Any, **keys: Any) -> Graph:
    graph = FROM_DATA(*args, **keys)
    return replace(graph, x=graph.x.to(torch.float64))


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    Graph.from_data = doubled  # type: ignore[method-assign]
    sys.exit(main(["distill", *sys.argv[1:]]))
