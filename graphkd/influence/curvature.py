"""Curvature of a graph's edges, and of its nodes as the mean over their edges."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.sparse import Adjacency, SparseMatrix, row_pieces

KINDS = ("ollivier", "forman")

MOST_EDGES = 50_000
"""Undirected edges up to which a transport problem per edge is solved: about a minute."""

MOST_UNITS = 256
"""Units of mass up to which a transport problem is solved as an assignment of single units."""

CANDIDATES = 2**22
"""Pairs that are looked up at a time when triangles are counted."""


def node_curvature(adj: Adjacency, kind: str) -> Tensor:
    """Computes ``(κ_v − mean κ) / std κ`` with ``κ_v`` the mean curvature of the edges at ``v``.

    Mean and standard deviation are over nodes with an edge; nodes without one get 0, and all do where nodes do not
    differ. Edges count in both directions; self-loops and weights are not read.

    Args:
        adj: the graph.
        kind: ``ollivier`` or ``forman``.

    Returns:
        ``[N]`` float64, on the graph's device.

    Raises:
        GraphKDError: too many edges for ``ollivier``.
    """
    graph = undirected(adj)
    curvature = (ollivier if kind == "ollivier" else forman)(graph)
    degree = graph.rowptr.diff().double()
    value = graph.with_values(curvature).sum(dim=1) / degree.clamp_min(1)
    present = value[degree > 0]
    if present.numel() == 0:
        return value
    centred = torch.where(degree > 0, value - present.mean(), 0.0)
    deviation = present.std(correction=0)
    return centred / deviation if float(deviation) > 1e-12 * max(1.0, float(present.abs().max())) else 0 * centred


def undirected(adj: Adjacency) -> SparseMatrix:
    """Returns the pattern of a graph in both directions, without self-loops."""
    row, col = adj.matrix.row, adj.matrix.col
    off = row != col
    ends = torch.cat([row[off], col[off]]), torch.cat([col[off], row[off]])
    return SparseMatrix.pattern(*ends, adj.matrix.shape)


def forman(graph: SparseMatrix) -> Tensor:
    """Computes the augmented Forman curvature of each edge, ``4 − d_u − d_v + 3 t_uv``.

    ``t_uv`` counts the triangles over the edge: for each edge, the neighbours of its end of smaller degree are
    looked up among those of the other, ``Σ_(u, v) min(d_u, d_v)`` look-ups in a sorted list.

    Source: Samal et al., Comparative Analysis of Two Discretizations of Ricci Curvature, Scientific Reports 2018

    Args:
        graph: symmetric pattern without self-loops.

    Returns:
        ``[nnz]`` float64.
    """
    degree, row, col = graph.rowptr.diff(), graph.row, graph.col
    swap = degree[row] > degree[col]
    near, far = torch.where(swap, col, row), torch.where(swap, row, col)
    counts = degree[near]
    known = row * graph.shape[0] + col  # ascending
    triangles = torch.zeros(graph.nnz, dtype=torch.float64, device=graph.device)
    load = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    for part in row_pieces(load, slice(0, graph.nnz), CANDIDATES):
        edge = torch.repeat_interleave(torch.arange(part.start, part.stop, device=graph.device), counts[part])
        place = torch.arange(edge.numel(), device=graph.device) - (load[edge] - load[part.start])
        key = far[edge] * graph.shape[0] + graph.col[graph.rowptr[near[edge]] + place]
        found = known[torch.searchsorted(known, key).clamp_max(known.numel() - 1)] == key
        triangles.index_add_(0, edge, found.double())
    return 4.0 - degree[row] - degree[col] + 3.0 * triangles


def ollivier(graph: SparseMatrix) -> Tensor:
    """Computes the Ollivier-Ricci curvature of each edge, ``1 − W_1(μ_u, μ_v)``, exactly.

    ``μ_u`` has mass ½ at ``u`` and ``1 / (2 d_u)`` at each neighbour; ``W_1`` is the cheapest transport by hop
    distances, which between two neighbourhoods are at most 3. Mass that both have at a node stays there. What is
    left is a multiple of one unit: up to ``MOST_UNITS`` units it is an assignment, beyond a linear programme.

    Source: Ollivier, Ricci Curvature of Markov Chains on Metric Spaces, Journal of Functional Analysis 2009; with
    laziness ½ as in Ni et al., Community Detection on Networks with Ricci Flow, Scientific Reports 2019

    Args:
        graph: symmetric pattern without self-loops.

    Returns:
        ``[nnz]`` float64.

    Raises:
        GraphKDError: more than ``MOST_EDGES`` undirected edges.
    """
    if graph.nnz > 2 * MOST_EDGES:
        raise GraphKDError(
            f"curvature=ollivier solves a transport problem for each of {graph.nnz // 2:,} edges, more than "
            f"{MOST_EDGES:,}: use curvature=forman"
        )
    rowptr, col = graph.rowptr.tolist(), graph.col.tolist()
    neighbours = [frozenset(col[start:stop]) for start, stop in itertools.pairwise(rowptr)]
    found: dict[tuple[int, int], float] = {}
    for u, near in enumerate(neighbours):
        for v in near:
            if u < v:
                found[u, v] = found[v, u] = 1.0 - _transport(u, v, neighbours)
    pairs = zip(graph.row.tolist(), col, strict=True)
    return torch.tensor([found[pair] for pair in pairs], dtype=torch.float64, device=graph.device)


def _transport(u: int, v: int, neighbours: list[frozenset[int]]) -> float:
    """Returns ``W_1(μ_u, μ_v)`` of an edge."""
    near, far = neighbours[u], neighbours[v]
    whole = math.lcm(len(near), len(far))  # units of ½ of the mass
    mass = dict.fromkeys(near, whole // len(near))
    mass[u] = whole
    for node in far:
        mass[node] = mass.get(node, 0) - whole // len(far)
    mass[v] -= whole
    supply = {node: units for node, units in mass.items() if units > 0}
    demand = {node: -units for node, units in mass.items() if units < 0}
    if not supply:
        return 0.0
    costs = np.array([[_distance(a, b, neighbours) for b in demand] for a in supply])
    return _cheapest([*supply.values()], [*demand.values()], costs) / (2 * whole)


def _distance(a: int, b: int, neighbours: list[frozenset[int]]) -> int:
    """Returns the hops between two nodes of which it is known that they are 1 to 3 apart."""
    if b in neighbours[a]:
        return 1
    return 3 if neighbours[a].isdisjoint(neighbours[b]) else 2


def _cheapest(supply: list[int], demand: list[int], costs: NDArray[np.int64]) -> float:
    """Returns the least cost of a transport between two lists of units, of equal sums."""
    unit = math.gcd(*supply, *demand)
    rows, cols = np.array(supply) // unit, np.array(demand) // unit
    if 1 in costs.shape:
        return float(unit * (np.outer(rows, cols) / max(rows.sum(), 1) * costs).sum())
    if rows.sum() <= MOST_UNITS:
        from scipy.optimize import linear_sum_assignment

        single = costs.repeat(rows, axis=0).repeat(cols, axis=1)
        return float(unit * single[linear_sum_assignment(single)].sum())
    return float(unit * _programme(rows, cols, costs))


def _programme(rows: NDArray[np.int64], cols: NDArray[np.int64], costs: NDArray[np.int64]) -> float:
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    m, n = costs.shape
    entry = np.arange(m * n)
    ends = np.concatenate([entry // n, m + entry % n])
    sums: Any = csr_array((np.ones(2 * m * n), (ends, np.tile(entry, 2))), shape=(m + n, m * n))
    result: Any = linprog(costs.ravel(), A_eq=sums, b_eq=np.concatenate([rows, cols]), method="highs")
    return float(result.fun)
