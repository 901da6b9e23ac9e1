"""Node properties for comparison with influences."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.datasets import Graph
from graphkd.influence._betweenness import betweenness
from graphkd.influence._confidence import entropy
from graphkd.influence._kcore import kcore
from graphkd.influence._pagerank import pagerank
from graphkd.influence._random_walk import random_walk
from graphkd.sparse import Features, SparseMatrix, spmm

KINDS: dict[str, tuple[str, str]] = {
    "typicality": ("features", "feature typicality"),
    "nonzeros": ("features", "non-zero features"),
    "degree": ("graph", "degree"),
    "pagerank": ("graph", "PageRank"),
    "kcore": ("graph", "k-core number"),
    "betweenness": ("graph", "betweenness"),
    "random_walk": ("graph", "two-hop random walk"),
    "homophily": ("labels", "homophily"),
    "entropy": ("teacher", "teacher's entropy"),
    "confidence": ("teacher", "teacher's confidence"),
    "right": ("teacher", "teacher is right"),
}
"""Name → data source and display name."""

MOST_NODES = 50_000
"""Largest graph for which betweenness is computed; on larger ones it would dominate the cost."""


def graph_properties(graph: Graph) -> dict[str, Tensor]:
    """Computes properties of every node from features, edges and labels.

    ``typicality`` (see its function), ``nonzeros``, ``degree`` (receivers without the node itself), ``pagerank``,
    ``kcore``, ``betweenness`` (up to 50,000 nodes; from 256 sampled sources in graphs with more than 256 nodes),
    ``random_walk`` (two hops over A + I) and ``homophily``; the influences among them are scaled to 1.

    Args:
        graph: checked data; all known labels are read, including test labels: for description only.

    Returns:
        Name → ``[N]`` float64, NaN where a property is undefined.

    Raises:
        GraphKDError: an edge weight is negative.
    """
    x, adj = graph.x, graph.adj
    pattern = adj.structure(self_loops=0)
    off = pattern.filter(pattern.row != pattern.col).to(torch.float64)
    properties = {
        "typicality": typicality(x),
        "nonzeros": _count_nonzero(x),
        "degree": off.sum(dim=0),
        "pagerank": pagerank(x, adj),
        "kcore": kcore(x, adj),
        "random_walk": random_walk(x, adj),
        "homophily": homophily(off, graph.y),
    }
    if graph.num_nodes <= MOST_NODES:
        properties["betweenness"] = betweenness(x, adj)
    return {name: properties[name].double() for name in KINDS if name in properties}


def teacher_properties(graph: Graph, logits: Tensor) -> dict[str, Tensor]:
    """Computes properties of every node from a frozen teacher's logits.

    ``entropy`` (nats) and ``confidence`` (largest probability) of its distribution, and ``right``: 1 if the
    predicted class is the label, else 0, for labelled nodes outside the training set. Test labels are read: for
    description only.

    Args:
        graph: checked data.
        logits: ``[N, C]`` of the teacher.

    Returns:
        Name → ``[N]`` float64, NaN where a property is undefined.
    """
    right = (logits.argmax(dim=1) == graph.y).double()
    right[graph.y < 0] = torch.nan
    right[graph.train] = torch.nan
    largest = logits.double().softmax(dim=1).amax(dim=1)
    return {"entropy": entropy(logits), "confidence": largest, "right": right}


def typicality(x: Features) -> Tensor:
    """Computes the similarity of a node's features to the mean direction, without edges: ``cos(x_i, Σ_j x̂_j)``.

    With unit rows ``x̂``; a zero row has cosine 0. Costs two products with the features.

    Args:
        x: ``[N, D]`` dense or sparse.

    Returns:
        ``[N]`` float64; zeros if the sum is zero.
    """
    x = x.to(torch.float64)
    squares = SparseMatrix(x.rowptr, x.col, x.value.square(), x.shape[1]) if isinstance(x, SparseMatrix) else x**2
    norms = squares.sum(dim=1).sqrt()
    scale = torch.where(norms > 0, 1.0 / norms, 0.0).unsqueeze(1)
    middle = _times(x.t(), scale)
    length = middle.norm()
    # Rows that cancel leave rounding errors only, which have no direction.
    middle = torch.where(length > 1e-12 * x.shape[0], middle / length, 0.0)
    return (scale * _times(x, middle)).squeeze(1)


def homophily(edges: SparseMatrix, y: Tensor) -> Tensor:
    """Computes the fraction of a node's neighbours with its label.

    It is ``|{j ∈ N(i): y_j = y_i}| / |{j ∈ N(i): y_j known}|``.

    Args:
        edges: ``[N, N]``, an entry for each neighbour ``j`` of ``i``, none on the diagonal.
        y: ``[N]`` int64 labels, −1 where unknown.

    Returns:
        ``[N]`` float64, NaN if a node has no label, or no labelled neighbour.
    """
    row, col = edges.row, edges.col
    labelled = (y[col] >= 0).double()
    count, same = (torch.zeros(y.numel(), dtype=torch.float64, device=y.device) for _ in range(2))
    count.index_add_(0, row, labelled)
    same.index_add_(0, row, labelled * (y[row] == y[col]))
    return torch.where((y >= 0) & (count > 0), same / count, torch.nan)


def _times(x: Features, dense: Tensor) -> Tensor:
    return spmm(x, dense) if isinstance(x, SparseMatrix) else x @ dense


def _count_nonzero(x: Features) -> Tensor:
    if isinstance(x, Tensor):
        return x.count_nonzero(dim=1)
    return SparseMatrix(x.rowptr, x.col, (x.value != 0).double(), x.shape[1]).sum(dim=1)
