"""The largest connected component of a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse
import torch
from torch import Tensor

from graphkd.sparse import as_features, select_rows

if TYPE_CHECKING:
    from torch_geometric.data import Data


def largest_component(data: Data) -> Data:
    """Returns the largest weakly connected component of a graph.

    Args:
        data: ``x [N, D]``, ``edge_index [2, E]``, and ``y [N]`` if there is one; masks are dropped.

    Returns:
        ``Data`` with the ``M`` remaining nodes in their original order, and ``node_ids``, their ids or original
        indices.
    """
    from torch_geometric.data import Data

    nodes = _largest(data.edge_index, data.x.shape[0])
    number = torch.full((data.x.shape[0],), -1)
    number[nodes] = torch.arange(nodes.numel())
    edges = number[data.edge_index]
    x = select_rows(as_features(data.x), nodes)
    names = {name: data[name] for name in ("class_names", "feature_names") if name in data}
    names |= {"y": data.y[nodes]} if "y" in data else {}
    inside, ids = edges[0] >= 0, nodes.tolist()
    if "edge_weight" in data:
        names["edge_weight"] = data.edge_weight[inside]
    if "raw_columns" in data:
        names["raw_columns"] = data.raw_columns.subset(ids)
    return Data(
        x=x if isinstance(x, Tensor) else x.torch(),
        edge_index=edges[:, inside],
        node_ids=[data.node_ids[node] for node in ids] if "node_ids" in data else ids,
        **names,
    )


def _largest(edge_index: Tensor, num_nodes: int) -> Tensor:
    """Returns ``[M]`` ids of the component's nodes, ascending."""
    ends, shape = edge_index.numpy(), (num_nodes, num_nodes)
    adj = scipy.sparse.coo_matrix((np.ones(ends.shape[1], dtype=np.int8), tuple(ends)), shape)
    _, member = scipy.sparse.csgraph.connected_components(adj, directed=True, connection="weak")
    return torch.from_numpy((member == np.bincount(member).argmax()).nonzero()[0])
