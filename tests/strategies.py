"""Random graphs, features and logits for property tests."""

from __future__ import annotations

import torch
from hypothesis import strategies as st
from torch import Tensor

from graphkd.sparse import SparseMatrix


@st.composite
def edge_lists(draw: st.DrawFn, num_nodes: int, undirected: bool | None = None) -> Tensor:
    """``[2, E]``: any edges at all, duplicates and self-loops among them; perhaps none."""
    node = st.integers(0, num_nodes - 1)
    pairs = draw(st.lists(st.tuples(node, node), max_size=4 * num_nodes))
    edges = torch.tensor(pairs, dtype=torch.long).reshape(-1, 2).t()
    both = draw(st.booleans()) if undirected is None else undirected
    return torch.cat([edges, edges.flip(0)], dim=1) if both else edges


@st.composite
def tables(
    draw: st.DrawFn, rows: int, columns: int, low: float = -3.0, dtype: torch.dtype = torch.float64
) -> Tensor:
    """``[rows, columns]`` finite numbers in [low, 3], many of them zero, some rows all zero or repeated."""
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    table = low + (3.0 - low) * torch.rand(rows, columns, generator=generator, dtype=torch.float64)
    table *= torch.rand(rows, columns, generator=generator) < draw(st.sampled_from([0.1, 0.5, 1.0]))
    for row in draw(st.lists(st.integers(0, rows - 1), max_size=2)):
        table[row] = 0.0 if draw(st.booleans()) else table[0]
    return table.to(dtype)


@st.composite
def patterns(draw: st.DrawFn, rows: int, columns: int) -> SparseMatrix:
    """``rows × columns`` with any entries, rows and columns without any among them, all of value 1."""
    place = st.tuples(st.integers(0, rows - 1), st.integers(0, columns - 1))
    places = sorted(draw(st.sets(place, max_size=rows * columns)))
    row, col = torch.tensor(places, dtype=torch.long).reshape(-1, 2).t()
    return SparseMatrix.from_coo(row, col, torch.ones(len(places), dtype=torch.float64), (rows, columns))


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
