"""Features propagated over the graph, as a bundle replays them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from graphkd.sparse import Adjacency, Features, Inputs, blocks, mix, propagate


@dataclass(frozen=True)
class Propagation:
    """How features were mixed over the graph, see ``graphkd.sparse.propagate``.

    Args:
        hops: ``P``; 0 leaves rows unchanged, and the student needs no graph.
        self_loops: ``s`` in Ã over ``A + s I``.
        weighted: whether A had edge weights.
        pooling: of the hops, one of ``graphkd.sparse.POOLINGS``.

    >>> import torch
    >>> from graphkd.sparse import Adjacency
    >>> edges = Adjacency(torch.tensor([[0, 1], [1, 0]]), num_nodes=2)
    >>> Propagation(hops=1).table(torch.tensor([[1.0], [3.0]]), edges)
    tensor([[1.5000],
            [2.5000]])
    """

    hops: int = 0
    self_loops: int = 1
    weighted: bool = False
    pooling: str = "mean"

    @property
    def reads(self) -> str:
        """What a student of such inputs reads at inference: ``x``, or ``neighbours`` as well."""
        return "neighbours" if self.hops else "x"

    def on(self, adj: Adjacency) -> Propagation:
        """Returns the same over this graph, whose weights are used if it has any."""
        return replace(self, weighted=adj.weighted) if self.hops else self

    def width(self, num_features: int) -> int:
        """Returns ``D'`` of the mixed rows for ``D`` features."""
        return num_features * blocks(self.hops, self.pooling)

    def raw_width(self, width: int) -> int:
        """Returns ``D`` of the features for ``D'`` of the mixed rows."""
        return width // blocks(self.hops, self.pooling)

    def mix(self, x: Features, adj: Adjacency) -> Inputs:
        """Computes the inputs ``[N, D']`` of features ``[N, D]``, in the form that costs least."""
        return mix(x, adj, self.hops, self.self_loops, self.pooling)

    def table(self, x: Features, adj: Adjacency) -> Features:
        """Computes the inputs ``[N, D']`` of features ``[N, D]`` as a table."""
        return propagate(x, adj, self.hops, self.self_loops, self.pooling)

    def arguments(self) -> dict[str, Any]:
        """Returns the entry of ``inputs`` in ``bundle.json``."""
        return {"name": "propagated", **asdict(self)} if self.hops else {"name": "raw"}
