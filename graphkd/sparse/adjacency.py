"""A graph as a matrix: raw edges in, normalised operators out."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.sparse.matrix import SparseMatrix

Normalisation = Literal["symmetric", "row", "none"]

INDEX_TYPES = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
"""What edges may be given in; torch can compare no other whole numbers."""


class Adjacency:
    """The adjacency matrix ``A [N, N]`` of a graph; row = receiver, column = sender.

    ``A[i, j]`` is the weight of the edge from ``j`` to ``i``. An edge that is listed twice counts
    once; where weights are given, the weights of its copies are added. Self-loops in the list are
    kept in the raw matrix, see ``normalize``.

    Args:
        edge_index: ``[2, E]`` int64, ``[sender, receiver]`` as in PyG; both directions of an
            undirected edge are listed.
        num_nodes: ``N``.
        edge_weight: ``[E]`` floating point, or nothing for weight 1.

    Raises:
        GraphKDError: ``edge_index`` is not ``[2, E]`` or names a node outside ``[0, N)``.
    """

    def __init__(self, edge_index: Tensor, num_nodes: int, edge_weight: Tensor | None = None) -> None:
        check_edges(edge_index, num_nodes)
        sender, receiver = edge_index.long()
        shape = (num_nodes, num_nodes)
        if edge_weight is None:
            self.matrix = SparseMatrix.pattern(receiver, sender, shape)
        else:
            self.matrix = SparseMatrix.from_coo(receiver, sender, edge_weight, shape)
        self.weighted = edge_weight is not None
        self._normalised: dict[tuple[str, int, torch.dtype], SparseMatrix] = {}

    @property
    def num_nodes(self) -> int:
        """``N``."""
        return self.matrix.shape[0]

    def to(self, device: torch.device | str) -> Adjacency:
        """The same graph on another device."""
        if self.matrix.device == torch.device(device):
            return self
        return self._like(self.matrix.to(torch.device(device)))

    def subgraph(self, nodes: Tensor) -> Adjacency:
        """The graph that ``nodes [n]`` (ascending) induce; node ``nodes[k]`` becomes ``k``."""
        place = self.matrix.col.new_full((self.num_nodes,), -1)
        place[nodes] = torch.arange(nodes.numel(), device=nodes.device)
        rows = self.matrix.select(nodes)
        return self._like(rows.filter(place[rows.col] >= 0).renumber(place, nodes.numel()))

    def without_edges_of(self, nodes: Tensor) -> Adjacency:
        """The same nodes, without any edge from or to ``nodes [m]``."""
        touched = torch.zeros(self.num_nodes, dtype=torch.bool, device=nodes.device)
        touched[nodes] = True
        return self._like(self.matrix.filter(~(touched[self.matrix.row] | touched[self.matrix.col])))

    def _like(self, matrix: SparseMatrix) -> Adjacency:
        other = Adjacency.__new__(Adjacency)
        other.matrix, other.weighted, other._normalised = matrix, self.weighted, {}
        return other

    def structure(self, self_loops: int = 1) -> SparseMatrix:
        """The 0/1 pattern of ``A`` with every diagonal entry set to ``self_loops``: ``A° [N, N]``."""
        matrix = self.matrix
        pattern = SparseMatrix(matrix.rowptr, matrix.col, torch.ones_like(matrix.value), matrix.shape[1])
        return _with_diagonal(pattern, self_loops)

    def normalize(
        self, kind: Normalisation = "symmetric", self_loops: int = 1, dtype: torch.dtype = torch.float32
    ) -> SparseMatrix:
        """``D^-1/2 (A + k I) D^-1/2``, ``D^-1 (A + k I)``, or ``A + k I``; made once and kept.

        ``D`` holds the row sums of ``A + k I`` (weighted in-degrees); rows that sum to zero stay zero.
        For ``k > 0`` the diagonal is *set* to ``k``: self-loops in the edge list do not count twice; where
        edges have weights, a listed self-loop keeps its own, as in PyG. For ``k = 0`` the raw matrix is
        used, its self-loops included.

        Args:
            kind: ``symmetric`` (GCN), ``row`` (mean over neighbours) or ``none``.
            self_loops: ``k``; 0, 1, or 2 as in InfGraND's released code.
            dtype: of the values; degrees are always summed in float64.

        Returns:
            ``N × N``.
        """
        key = (kind, self_loops, dtype)
        if key not in self._normalised:
            self._normalised[key] = _normalise(self.matrix, kind, self_loops, self.weighted).to(dtype)
        return self._normalised[key]


def check_edges(edge_index: Tensor, num_nodes: int) -> None:
    """Refuses an edge index of the wrong shape, or one that points outside ``[0, num_nodes)``."""
    if not isinstance(edge_index, Tensor) or edge_index.dtype not in INDEX_TYPES:
        kind = edge_index.dtype if isinstance(edge_index, Tensor) else type(edge_index).__name__
        raise GraphKDError(f"edge_index must be a tensor of whole numbers, but is {kind}: convert it to int64")
    if edge_index.dim() != 2 or edge_index.shape[0] != 2:
        raise GraphKDError(f"edge_index must be [2, E], but has shape {list(edge_index.shape)}")
    if edge_index.numel() and not (int(edge_index.min()) >= 0 and int(edge_index.max()) < num_nodes):
        low, high = int(edge_index.min()), int(edge_index.max())
        raise GraphKDError(
            f"edge_index names nodes {low} to {high}, but the graph has nodes 0 to {num_nodes - 1}: "
            "correct the edges or add the missing feature rows"
        )


def check_weights(weight: Any, num_edges: int, name: str = "edge_weight") -> None:
    """Refuses edge weights that are no ``[E]`` tensor of finite numbers from 0; nothing is no weights."""
    if weight is None:
        return
    if not isinstance(weight, Tensor) or not weight.is_floating_point():
        raise GraphKDError(f"{name} must be a tensor of floating-point numbers: convert it first")
    if weight.shape != (num_edges,):
        raise GraphKDError(
            f"{name} must hold one weight per edge [{num_edges}], but has shape {list(weight.shape)}: "
            "give one for each"
        )
    if not bool((weight.isfinite() & (weight >= 0)).all()):
        raise GraphKDError(f"{name} must be finite and not negative: correct the weights")


def _normalise(raw: SparseMatrix, kind: Normalisation, self_loops: int, keep: bool) -> SparseMatrix:
    matrix = _with_diagonal(raw.to(torch.float64), self_loops, keep)
    if kind == "none":
        return matrix
    degree = matrix.sum(dim=1)
    if kind == "row":
        return matrix.scale(rows=torch.where(degree != 0, 1.0 / degree, 0.0))
    root = torch.where(degree > 0, degree.rsqrt(), 0.0)
    return matrix.scale(rows=root, cols=root)


def _with_diagonal(matrix: SparseMatrix, value: int, keep: bool = False) -> SparseMatrix:
    """The diagonal set to ``value``; where ``keep``, only the entries of it that are missing."""
    if value == 0:
        return matrix
    row, node = matrix.row, torch.arange(matrix.shape[0], device=matrix.device)
    off = row != matrix.col
    diagonal = matrix.value.new_full((matrix.shape[0],), float(value))
    if keep:
        diagonal[row[~off]] = matrix.value[~off]
    row, col, entries = row[off], matrix.col[off], matrix.value[off]
    # An entry moves by one for each row above it, and by one more right of the diagonal: nothing has to be sorted.
    place = torch.arange(row.numel(), device=row.device).add_(row).add_(col > row)
    rowptr = torch.cat([node.new_zeros(1), (torch.bincount(row, minlength=node.numel()) + 1).cumsum(0)])
    middle = rowptr[:-1] + torch.bincount(row[col < row], minlength=node.numel())
    size = row.numel() + node.numel()
    del row, off
    col = node.new_empty(size).scatter_(0, place, col).scatter_(0, middle, node)
    entries = diagonal.new_empty(size).scatter_(0, place, entries).scatter_(0, middle, diagonal)
    return SparseMatrix(rowptr, col, entries, matrix.shape[1])
