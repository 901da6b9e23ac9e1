"""Row of a node that is not in the store."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.store.arrays import Arrays
from graphkd.deploy.store.inputs import Ids, Weights
from graphkd.deploy.store.kernel import roots


def new_node_hops(
    arrays: Arrays, row: NDArray[np.float32], neighbours: Ids, weights: Weights
) -> NDArray[np.float32]:
    """Computes the hops of a node ``v`` that is not in the store, from one gather of its neighbours' rows.

    With ``d_v = Σ_j w_j + s``, ``r = d^-1/2`` and ``g_j^0`` the neighbour's features,

        ``h_v^k = r_v (s r_v h_v^{k−1} + Σ_j w_j r'_j g_j^{k−1})``.

    In an undirected graph each neighbour gains the edge as well: ``d'_j = d_j + w_j``, and its row is corrected
    accordingly. With ``h_j`` its stored rows and ``m_jj`` its diagonal, ``h_j^k`` without the term of ``j`` itself
    is ``o_j^k = h_j^k / r_j − m_jj r_j h_j^{k−1}``, and

        ``g_j^k = r'_j (m_jj r'_j g_j^{k−1} + o_j^k + w_j r_v h_v^{k−1})``.

    Neglected is that ``o_j^k`` changes too if the neighbours of ``j`` do. The row is therefore exact for one hop;
    for two if no two neighbours of ``v`` are adjacent; and always in a directed graph, since ``v`` then sends to
    no node (``d'_j = d_j``, ``g_j^k = h_j^k``).

    Args:
        arrays: the store.
        row: ``[1, D]`` of hop 0.
        neighbours: ``[n]``; senders if the graph is directed.
        weights: ``[n]``.

    Returns:
        ``[1, P + 1, D]``.
    """
    settings = arrays.layout.settings
    stored = arrays.hops[neighbours].astype(np.float64)
    degree, diagonal = (arrays.nodes[name][neighbours] for name in ("degree", "diagonal"))
    loop = float(settings.self_loops)
    root = float(roots(np.array([weights.sum() + loop]))[0])
    old_roots = roots(degree)
    new_roots = old_roots if settings.directed else roots(degree + weights)
    hops = np.empty((settings.hops + 1, row.shape[1]))
    hops[0], rows = row[0], stored[:, 0]
    for hop in range(1, settings.hops + 1):
        hops[hop] = root * (loop * root * hops[hop - 1] + (weights * new_roots) @ rows)
        if settings.directed:
            rows = stored[:, hop]
        else:
            remainder = (
                np.sqrt(degree)[:, None] * stored[:, hop] - (diagonal * old_roots)[:, None] * stored[:, hop - 1]
            )
            rows = (diagonal * new_roots)[:, None] * rows + remainder + np.outer(weights * root, hops[hop - 1])
            rows *= new_roots[:, None]
    return hops[None].astype(np.float32)
