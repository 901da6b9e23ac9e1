"""InfGraND's similarities between features and propagated features."""

from __future__ import annotations

import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.influence._checks import check_hops, graph_of
from graphkd.influence._cosine import PropagatedCosine
from graphkd.influence._dense_cosine import DenseCosine
from graphkd.influence._minimum import Means
from graphkd.influence._sparse_cosine import SparseCosine
from graphkd.sparse import Adjacency, Features, SparseMatrix, as_features, check_features

FLOAT32_RANGE = (1e-25, 1e25)
"""Range of a row's largest entry in which norms and propagated sums neither over- nor underflow in float32."""

SELF_LOOPS = {"paper": 1, "reference": 2}
"""Self-loops in Ã: the paper adds I once; the released code adds it to a graph that already contains it."""


def similarities(
    x: Tensor | Features,
    edge_index: Tensor | Adjacency,
    hops: int,
    variant: str,
    self_loops: int | None,
    means: Means,
) -> PropagatedCosine:
    """Checks ``infgrand``'s arguments and builds ``S_ij = cos(x_i, (Ã^k X)_j)``, whose sums are computed later."""
    if variant not in SELF_LOOPS:
        raise GraphKDError(f"influence variant '{variant}' is unknown: choose paper or reference")
    loops = SELF_LOOPS[variant] if self_loops is None else self_loops
    check_hops(hops, loops)
    features = check_features(as_features(x))
    adj = graph_of(features, edge_index, signed=True)
    if isinstance(features, SparseMatrix):
        return SparseCosine(features, adj.normalize("symmetric", loops, torch.float64), hops, means)
    if features.dtype != torch.float64:
        features = features.float() if _fits_float32(features) else features.double()
    return DenseCosine(features, adj.normalize("symmetric", loops, features.dtype), hops, means)


def _fits_float32(x: Tensor) -> bool:
    largest = torch.maximum(x.amax(dim=1), -x.amin(dim=1))
    low, high = FLOAT32_RANGE
    return bool(((largest == 0) | ((largest >= low) & (largest <= high))).all())
