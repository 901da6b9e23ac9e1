"""The adjacency matrix of a graph: built from raw edges, returned as normalised operators."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.sparse.features import Rows
from graphkd.sparse.matrix import SparseMatrix
from graphkd.sparse.segment import segment_reduce

Normalisation = Literal["symmetric", "row", "none"]

INDEX_TYPES = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
"""Dtypes that an edge index may have; torch implements comparisons for no other integers."""


LOOKED_AT = 2**17
"""Number of rows that are searched for self-loops in one step."""


class Adjacency:
    """The adjacency matrix ``A [N, N]`` of a graph; row = receiver, column = sender.

    ``A[i, j]`` is the weight of the edge from ``j`` to ``i``. An edge that is listed twice counts
    once; with ``edge_weight``, the weights of its copies are summed in float64. Self-loops in the list remain
    in the raw matrix, see ``normalize``.

    Args:
        edge_index: ``[2, E]`` int64, ``[sender, receiver]`` as in PyG; both directions of an
            undirected edge are listed.
        num_nodes: ``N``.
        edge_weight: ``[E]`` floating point, or ``None`` for weight 1.

    Raises:
        GraphKDError: ``edge_index`` is not ``[2, E]`` or contains a node outside ``[0, N)``.

    >>> adj = Adjacency(torch.tensor([[0, 1], [1, 2]]), num_nodes=3)  # 0 → 1 → 2
    >>> adj.degree(self_loops=1).tolist()
    [1.0, 2.0, 2.0]
    >>> adj.normalize("row", self_loops=1).to_dense()
    tensor([[1.0000, 0.0000, 0.0000],
            [0.5000, 0.5000, 0.0000],
            [0.0000, 0.5000, 0.5000]])
    """

    def __init__(self, edge_index: Tensor, num_nodes: int, edge_weight: Tensor | None = None) -> None:
        check_edges(edge_index, num_nodes)
        sender, receiver = edge_index.long()
        shape = (num_nodes, num_nodes)
        if edge_weight is None:
            self.matrix = SparseMatrix.pattern(receiver, sender, shape)
        else:
            summed = SparseMatrix.from_coo(receiver, sender, edge_weight.double(), shape)
            # Sums are in float64: half precision represents integers only up to 2,048.
            self.matrix = summed.to(torch.float64 if edge_weight.dtype == torch.float64 else torch.float32)
            if not bool(self.matrix.value.isfinite().all()):
                raise GraphKDError(
                    "edge_weight adds up to more than single precision holds for an edge: scale the weights"
                )
        self.weighted = edge_weight is not None
        self._normalised: dict[tuple[str, int, torch.dtype], SparseMatrix] = {}
        self._sums: dict[tuple[str, int], Tensor] = {}

    @classmethod
    def of(cls, matrix: SparseMatrix, weighted: bool) -> Adjacency:
        """Wraps a matrix ``[N, N]`` whose rows are receivers; nothing is sorted or checked.

        Args:
            matrix: with ascending columns in each row, and without duplicates.
            weighted: whether its values are edge weights; otherwise all are 1.
        """
        graph = cls.__new__(cls)
        graph.matrix, graph.weighted, graph._normalised, graph._sums = matrix, weighted, {}, {}
        return graph

    @property
    def num_nodes(self) -> int:
        """Number of nodes ``N``."""
        return self.matrix.shape[0]

    def to(self, device: torch.device | str) -> Adjacency:
        """Returns the graph on another device."""
        if self.matrix.device == torch.device(device):
            return self
        return self._like(self.matrix.to(torch.device(device)))

    def subgraph(self, nodes: Tensor) -> Adjacency:
        """Returns the subgraph induced by ``nodes [n]`` (ascending); node ``nodes[k]`` becomes ``k``."""
        position = self.matrix.col.new_full((self.num_nodes,), -1)
        position[nodes] = torch.arange(nodes.numel(), device=nodes.device)
        rows = self.matrix.select(nodes)
        return self._like(rows.filter(position[rows.col] >= 0).renumber(position, nodes.numel()))

    def without_edges_of(self, nodes: Tensor) -> Adjacency:
        """Returns the graph with all nodes and without the edges from or to ``nodes [m]``."""
        removed = torch.zeros(self.num_nodes, dtype=torch.bool, device=nodes.device)
        removed[nodes] = True
        return self._like(self.matrix.filter(~(removed[self.matrix.row] | removed[self.matrix.col])))

    def _like(self, matrix: SparseMatrix) -> Adjacency:
        return Adjacency.of(matrix, self.weighted)

    def receivers(self, x: Rows) -> Rows:
        """Returns the receivers' rows of the senders' ``x [N, d]``: all of them, unlike in a ``Block``."""
        return x

    def diagonal(self, self_loops: int) -> Tensor:
        """Returns ``[N]`` float64, the diagonal of ``A + k I``, ``k > 0``, as in ``normalize``; cached."""
        key = ("diagonal", self_loops)
        if key not in self._sums:
            diagonal = self.matrix.value.new_full((self.num_nodes,), self_loops, dtype=torch.float64)
            if self.weighted:
                node, weight = self._listed_loops()
                diagonal[node] = weight
            self._sums[key] = diagonal
        return self._sums[key]

    def degree(self, self_loops: int) -> Tensor:
        """Returns ``[N]`` float64, the row sums of ``A + k I``, as in ``normalize``; cached."""
        key = ("degree", self_loops)
        if key not in self._sums:
            rowptr, value = self.matrix.rowptr, self.matrix.value
            degree = segment_reduce(rowptr, value.double(), "sum") if self.weighted else rowptr.diff().double()
            if self_loops:
                node, weight = self._listed_loops()
                degree[node] -= weight
                degree += self.diagonal(self_loops)
            self._sums[key] = degree
        return self._sums[key]

    def _listed_loops(self) -> tuple[Tensor, Tensor]:
        """Returns the nodes with a self-loop in the edge list, and its weight in float64."""
        rowptr, entries = self.matrix.rowptr, []
        for start in range(0, self.num_nodes, LOOKED_AT):  # row numbers of all entries would need much memory
            ends = rowptr[start : start + LOOKED_AT + 1]
            node = torch.arange(start, start + ends.numel() - 1, device=rowptr.device)
            row = torch.repeat_interleave(node, ends.diff())
            entries.append((row == self.matrix.col[ends[0] : ends[-1]]).nonzero().squeeze(1) + ends[0])
        entry = torch.cat(entries)
        return self.matrix.col[entry], self.matrix.value[entry].double()

    def structure(self, self_loops: int = 1) -> SparseMatrix:
        """Returns ``A° [N, N]``, the 0/1 pattern of ``A`` with every diagonal entry set to ``self_loops``."""
        matrix = self.matrix
        pattern = SparseMatrix(matrix.rowptr, matrix.col, torch.ones_like(matrix.value), matrix.shape[1])
        return _with_diagonal(pattern, self_loops)

    def normalize(
        self, kind: Normalisation = "symmetric", self_loops: int = 1, dtype: torch.dtype = torch.float32
    ) -> SparseMatrix:
        """Returns ``D^-1/2 (A + k I) D^-1/2``, ``D^-1 (A + k I)``, or ``A + k I``; cached.

        ``D`` holds the row sums of ``A + k I`` (weighted in-degrees); rows that sum to zero stay zero.
        For ``k > 0`` the diagonal is *set* to ``k``: self-loops in the edge list do not count twice; where
        edges have weights, a listed self-loop keeps its weight, as in PyG. For ``k = 0`` the raw matrix is
        used, including its self-loops.

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
    """Checks that an edge index is ``[2, E]`` integers in ``[0, num_nodes)``.

    Raises:
        GraphKDError: it is not.
    """
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
    """Checks that edge weights are ``None`` or an ``[E]`` tensor of finite, non-negative floats.

    Raises:
        GraphKDError: they are not.
    """
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
    scale = reciprocal(matrix.sum(dim=1), kind)
    return matrix.scale(rows=scale, cols=scale if kind == "symmetric" else None)


def reciprocal(degree: Tensor, kind: Normalisation) -> Tensor:
    """Computes ``1 / d``, or ``1 / √d`` for ``symmetric``; 0 where it is undefined."""
    if kind == "row":
        return torch.where(degree != 0, 1.0 / degree, 0.0)
    return torch.where(degree > 0, degree.rsqrt(), 0.0)


def _with_diagonal(matrix: SparseMatrix, value: int, keep: bool = False) -> SparseMatrix:
    """Returns the matrix with its diagonal set to ``value``; with ``keep``, only missing entries are set."""
    if value == 0:
        return matrix
    diagonal = matrix.value.new_full((matrix.shape[0],), float(value))
    if keep:
        on = (matrix.row == matrix.col).nonzero().squeeze(1)
        diagonal[matrix.col[on]] = matrix.value[on]
    return set_diagonal(matrix, diagonal)


def set_diagonal(matrix: SparseMatrix, diagonal: Tensor, own: Tensor | None = None) -> SparseMatrix:
    """Returns the matrix with ``diagonal[i]`` in column ``own[i]`` of row i, whether or not it had an entry.

    Args:
        matrix: ``M × N``.
        diagonal: ``[M]``.
        own: ``[M]`` column of each row's diagonal entry; by default ``0 … M − 1``.
    """
    row, count = matrix.row, matrix.shape[0]
    column = row if own is None else own[row]
    off = column != matrix.col
    row, col, entries = row[off], matrix.col[off], matrix.value[off]
    column = row if own is None else own[row]
    # An entry moves by one for each row above it, and by one more right of the diagonal: no sort is needed.
    position = torch.arange(row.numel(), device=row.device).add_(row).add_(col > column)
    rowptr = torch.cat([row.new_zeros(1), (torch.bincount(row, minlength=count) + 1).cumsum(0)])
    middle = rowptr[:-1] + torch.bincount(row[col < column], minlength=count)
    size = row.numel() + count
    own = torch.arange(count, device=row.device) if own is None else own
    del row, column, off
    col = own.new_empty(size).scatter_(0, position, col).scatter_(0, middle, own)
    entries = diagonal.new_empty(size).scatter_(0, position, entries).scatter_(0, middle, diagonal)
    return SparseMatrix(rowptr, col, entries, matrix.shape[1])
