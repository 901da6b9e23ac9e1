"""An approximate index of a table of embeddings, for tables of millions of nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphkd.environment import own_environment
from graphkd.errors import GraphKDError
from graphkd.links.predictor import LinkPredictor
from graphkd.ranges import check_counts

CANDIDATES = 4
"""Times ``k`` nodes that the index proposes, and that are scored exactly."""


class ApproximateIndex:
    """Nearest nodes by a graph of near embeddings (HNSW), instead of a pass over all of them.

    ``⟨q, v⟩`` is largest where the distance of ``(q, 0)`` and ``(v, √(M² − ‖v‖²))`` is smallest, with ``M`` the
    largest norm. The index proposes ``4k`` nodes by that distance, whose scores are computed exactly: one that is
    found has its own score, and one may be missed. Needs ``pip install 'graphkd[index]'``.

    Source: Malkov and Yashunin, Efficient and Robust Approximate Nearest Neighbor Search Using Hierarchical
        Navigable Small World Graphs, TPAMI 2020; the reduction is of Bachrach et al., Speeding Up the Xbox
        Recommender System, RecSys 2014

    Args:
        predictor: with its table; its decoder is ``dot`` or ``bilinear``.
        links: edges of a node in the index: more find more, and take more memory.
        effort: nodes that a search keeps in view: more find more, and take longer.

    Raises:
        GraphKDError: faiss is not installed, the decoder has a hidden layer, or a setting is out of its range.

    >>> import tempfile
    >>> from graphkd.datasets.preprocess import Preprocessing
    >>> from graphkd.links.student import LinkStudent
    >>> predictor = LinkPredictor.of(LinkStudent(50, embedding_dim=4), Preprocessing(), torch.eye(50))
    >>> try:
    ...     found = ApproximateIndex(predictor).top_k(0, k=2)[1].tolist()
    ... except GraphKDError:  # faiss is not installed
    ...     found = predictor.top_k(0, k=2)[1].tolist()
    >>> found == predictor.top_k(0, k=2)[1].tolist()
    True
    """

    def __init__(self, predictor: LinkPredictor, links: int = 32, effort: int = 128) -> None:
        check_counts("index", 1, links=links, effort=effort)
        self.predictor = predictor
        if predictor.student.decoder.search(torch.zeros(predictor.student.decoder.dim)) is None:
            raise GraphKDError("an index needs the decoder dot or bilinear, since a hidden layer has no distance")
        try:
            import faiss
        except ModuleNotFoundError:
            raise GraphKDError("an approximate index needs faiss: pip install 'graphkd[index]'") from None
        index = faiss.IndexHNSWFlat(predictor.student.decoder.dim + 1, links)
        index.hnsw.efSearch = effort
        index.add(_lengthened(predictor.table))
        self._index = index

    @own_environment()
    def top_k(self, node: Any, k: int = 10, exclude: Any = ()) -> tuple[Tensor, Tensor]:
        """Finds nodes of the table with high scores; see ``LinkPredictor.top_k``.

        Args:
            node: its number, or a raw row.
            k: nodes to find.
            exclude: numbers of nodes that are not to be found.

        Returns:
            Scores ``[m]``, descending, and numbers ``[m]``; ``m`` is below ``k`` where the index proposed fewer.

        Raises:
            GraphKDError: as ``LinkPredictor.top_k``.
        """
        query, out = self.predictor.query(node, exclude)
        check_counts("links", 1, max(self.predictor.num_nodes - len(out), 1), k=k)
        with torch.no_grad():
            found = self.predictor.student.decoder.search(query)
        assert found is not None
        vector, bias = found
        wanted = min(CANDIDATES * k + len(out), self.predictor.num_nodes)
        asked = np.append(vector.detach().numpy(), np.float32(0))[None]
        _, near = self._index.search(asked, wanted)
        nodes = torch.from_numpy(near[0])
        nodes = nodes[(nodes >= 0) & ~torch.isin(nodes, out)]
        scores = (self.predictor.table[nodes] @ vector + bias).detach()
        best = scores.topk(min(k, len(nodes)))
        return best.values, nodes[best.indices]


def _lengthened(table: Tensor) -> np.ndarray[Any, Any]:
    """Returns ``(v, √(M² − ‖v‖²)) [N, d + 1]``: vectors of one norm."""
    squares = table.double().pow(2).sum(dim=1)
    rest = (squares.max() - squares).clamp(min=0).sqrt().float()
    return np.ascontiguousarray(torch.cat([table, rest.unsqueeze(1)], dim=1).numpy())
