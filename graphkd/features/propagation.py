"""Features propagated over the graph."""

from __future__ import annotations

from dataclasses import dataclass

from graphkd.sparse import Adjacency, Features, Inputs, blocks, mix, propagate


@dataclass(frozen=True)
class Propagation:
    """How inputs were mixed over the graph, see ``graphkd.sparse.propagate``.

    Args:
        hops: ``P``; 0 leaves rows alone, and the student needs no graph at all.
        self_loops: ``s`` in Ã over ``A + s I``.
        weighted: whether A had edge weights.
        pooling: of the hops, one of ``graphkd.sparse.POOLINGS``.
    """

    hops: int = 0
    self_loops: int = 1
    weighted: bool = False
    pooling: str = "mean"

    @property
    def reads(self) -> str:
        """What a student of such inputs reads at inference: ``x``, or ``neighbours`` as well."""
        return "neighbours" if self.hops else "x"

    def width(self, num_features: int) -> int:
        """``D'`` of the mixed rows for ``D`` features."""
        return num_features * blocks(self.hops, self.pooling)

    def raw_width(self, width: int) -> int:
        """``D`` of the features for ``D'`` of the mixed rows."""
        return width // blocks(self.hops, self.pooling)

    def mix(self, x: Features, adj: Adjacency) -> Inputs:
        """Returns the inputs ``[N, D']`` of features ``[N, D]``, in the form that costs least."""
        return mix(x, adj, self.hops, self.self_loops, self.pooling)

    def table(self, x: Features, adj: Adjacency) -> Features:
        """Returns the inputs ``[N, D']`` of features ``[N, D]`` as a table."""
        return propagate(x, adj, self.hops, self.self_loops, self.pooling)
