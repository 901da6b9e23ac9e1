"""Conversion of adjacency matrices to data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from graphkd.datasets.custom.build import Parts, build, warn_unread
from graphkd.errors import GraphKDError
from graphkd.io.sparse import check_sparse

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from torch_geometric.data import Data


def from_scipy(
    adjacency: Any,
    features: Any,
    labels: Any = None,
    *,
    split: Any = None,
    ids: Sequence[Hashable] | None = None,
    weighted: bool = False,
    directed: bool = False,
    seed: int = 0,
    task: str | None = None,
) -> Data:
    """Converts an adjacency matrix to data.

    ``A[i, j] ≠ 0`` is an edge from ``i`` to ``j``: rows are senders. (``graphkd.sparse.Adjacency``, which the
    networks use, is its transpose: its rows are receivers.)

    Args:
        adjacency: ``[N, N]`` scipy sparse matrix or array; diagonal entries are self-loops.
        features: ``[N, D]`` array, data frame, tensor or scipy sparse; ``[N]`` is one
            feature. Sparse features stay sparse.
        labels: ``[N]`` integers, strings or booleans; ``None``, NaN, the empty string and the number −1 are
            unknown. Or several labels per node, or numbers to predict, see
            ``graphkd.datasets.custom.labels.encode_labels``. ``None`` for a graph to predict on.
        split: ``[N]`` strings ``train``, ``val``, ``test`` (or empty), or three boolean arrays ``[N]``. By default
            60/20/20 % of the labelled nodes, drawn per class by ``seed``.
        ids: ``[N]`` node ids, returned as ``node_ids``.
        weighted: whether entries are edge weights; otherwise edges are unweighted.
        directed: whether edges stay directed; by default both directions of each edge are included, with the
            larger weight if the two differ.
        seed: of the split, if it is drawn.
        task: ``multiclass``, ``binary``, ``multilabel`` or ``regression``, returned as ``task``; by default what
            the labels can only be of.

    Returns:
        ``Data`` for ``graphkd.distill``: ``x [N, D]``, ``edge_index [2, E]``, ``y [N]`` (−1 unknown; of
        other tasks ``[N]`` or ``[N, L]`` with NaN), three masks; ``task``, ``class_names``, ``node_ids`` and
        ``edge_weight`` if they exist.

    Raises:
        GraphKDError: ``adjacency`` is no square sparse matrix, or a part does not match it.

    >>> import numpy as np, scipy.sparse
    >>> ring = scipy.sparse.eye_array(6, k=1) + scipy.sparse.eye_array(6, k=-5)
    >>> data = from_scipy(ring.tocsr(), np.eye(6), np.array([0, 0, 0, 1, 1, 1]))
    >>> data.x.shape, data.edge_index.shape
    (torch.Size([6, 6]), torch.Size([2, 12]))
    """
    if not hasattr(adjacency, "tocsr"):
        raise GraphKDError(
            f"adjacency is a {type(adjacency).__name__}, no scipy sparse matrix: call scipy.sparse.csr_array on it"
        )
    if adjacency.ndim != 2 or adjacency.shape[0] != adjacency.shape[1]:
        raise GraphKDError(f"adjacency must be square [nodes, nodes], but has shape {list(adjacency.shape)}")
    if adjacency.dtype.kind not in "biuf":
        raise GraphKDError(f"adjacency holds {adjacency.dtype}, not numbers: make its entries real")
    check_sparse(adjacency, "adjacency")
    if not isinstance(weighted, bool):
        raise GraphKDError(f"weighted is {weighted!r}: choose True or False")
    matrix = adjacency.astype(np.float64).tocsr(copy=True)  # sums of small integers would wrap around
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    edges = matrix.tocoo()
    if not weighted and bool(((entries := adjacency.tocoo().data) * (entries != 1)).any()):
        warn_unread("adjacency holds entries other than 0 and 1", "weighted=True")
    parts = Parts(
        features,
        edges.row,
        edges.col,
        ids=ids,
        labels=labels,
        split=split,
        weight=edges.data if weighted else None,
        named=False,
        count=matrix.shape[0],
        task=task,
        names=dict.fromkeys(("source", "target", "weight"), "adjacency"),
    )
    return build(parts, directed, seed)
