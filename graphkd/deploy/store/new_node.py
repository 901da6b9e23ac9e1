"""The row of a node that is not in the store."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.store.arrays import Arrays
from graphkd.deploy.store.inputs import Ids, Weights
from graphkd.deploy.store.kernel import roots


def new_node_hops(
    arrays: Arrays, row: NDArray[np.float32], neighbours: Ids, weights: Weights
) -> NDArray[np.float32]:
    """Hops of a node ``v`` that the store does not know, from one gather of its neighbours' rows.

    With ``d_v = Σ_j w_j + s``, ``r = d^-1/2`` and ``g_j^0`` the neighbour's features,

        ``h_v^k = r_v (s r_v h_v^{k−1} + Σ_j w_j r'_j g_j^{k−1})``.

    Where edges have no direction each neighbour gains the edge as well: ``d'_j = d_j + w_j``, and its row is
    corrected for it. With ``h_j`` its stored rows and ``m_jj`` its diagonal, all but its own part of ``h_j^k`` is
    ``o_j^k = h_j^k / r_j − m_jj r_j h_j^{k−1}``, and

        ``g_j^k = r'_j (m_jj r'_j g_j^{k−1} + o_j^k + w_j r_v h_v^{k−1})``.

    Left out is that ``o_j^k`` changes too, where nodes around ``j`` do. So the row is exact for one hop; for two
    where no two neighbours of ``v`` are neighbours of one another; and always where edges have a direction, since
    then ``v`` sends to nobody (``d'_j = d_j``, ``g_j^k = h_j^k``).

    Args:
        arrays: the store.
        row: ``[1, D]`` of hop 0.
        neighbours: ``[n]``; senders where edges have a direction.
        weights: ``[n]``.

    Returns:
        ``[1, P + 1, D]``.
    """
    settings = arrays.layout.settings
    stored = arrays.hops[neighbours].astype(np.float64)
    degree, diagonal = (arrays.nodes[name][neighbours] for name in ("degree", "diagonal"))
    loop = float(settings.self_loops)
    own = float(roots(np.array([weights.sum() + loop]))[0])
    old = roots(degree)
    new = old if settings.directed else roots(degree + weights)
    hops = np.empty((settings.hops + 1, row.shape[1]))
    hops[0], theirs = row[0], stored[:, 0]
    for hop in range(1, settings.hops + 1):
        hops[hop] = own * (loop * own * hops[hop - 1] + (weights * new) @ theirs)
        if settings.directed:
            theirs = stored[:, hop]
        else:
            others = np.sqrt(degree)[:, None] * stored[:, hop] - (diagonal * old)[:, None] * stored[:, hop - 1]
            theirs = (diagonal * new)[:, None] * theirs + others + np.outer(weights * own, hops[hop - 1])
            theirs *= new[:, None]
    return hops[None].astype(np.float32)
