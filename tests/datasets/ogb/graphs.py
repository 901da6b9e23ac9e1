"""Tiny graphs that pass for OGB's: folders in its layout."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch_geometric.data import Data

from graphkd import load_dataset
from graphkd.datasets.ogb import write_ogb
from graphkd.datasets.synthetic import ARXIV, PAPERS100M, PRODUCTS, Plan, generate

NAMES = ("ogbn-arxiv", "ogbn-products", "ogbn-papers100M")


def plan_of(name: str) -> Plan:
    """600 nodes of the kind of an OGB graph, in as many classes."""
    plan = dict(zip(NAMES, (ARXIV, PRODUCTS, PAPERS100M), strict=True))[name]
    return replace(plan, num_nodes=600, num_edges=2000, num_features=5, shares=(0.2, 0.1, 0.3))


def place(root: Path, name: str = "ogbn-arxiv") -> tuple[Data, Path]:
    """A graph, and the folder that holds it below ``root/data``."""
    data = generate(plan_of(name))
    return data, write_ogb(data, root / "data", name)


def load(root: Path, name: str = "ogbn-arxiv", **keys: Any) -> Data:
    return load_dataset(name, root / "data", cache_dir=root / "cache", **{"download": "never", **keys})


def write_lines(file: Path, lines: list[str]) -> None:
    with gzip.open(file, "wt") as stream:
        stream.write("\n".join(lines) + "\n")


def read_lines(file: Path) -> list[str]:
    with gzip.open(file, "rt") as stream:
        return stream.read().splitlines()
