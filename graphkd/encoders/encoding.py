"""A fitted encoder: parts side by side, each of which a bundle replays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from graphkd.encoders.propagation import Propagation
from graphkd.encoders.vectors import NodeVectors
from graphkd.sparse import Adjacency, Features, Inputs, beside

Part = Propagation | NodeVectors
"""A block of columns of a student's inputs."""


@dataclass(frozen=True)
class Encoding:
    """How a student's inputs are computed from features and graph.

    Args:
        parts: blocks of columns, in order: at most one ``Propagation`` and one ``NodeVectors``.

    >>> from graphkd.testing.graphs import small_graph
    >>> graph = small_graph()
    >>> encoding = Encoding((Propagation(hops=2, pooling="concat"),))
    >>> encoding.reads, encoding.width(graph.num_features), encoding.mix(graph.x, graph.adj).shape
    ('neighbours', 24, torch.Size([60, 24]))
    """

    parts: tuple[Part, ...] = (Propagation(),)

    @property
    def propagation(self) -> Propagation | None:
        """How the features enter, or None if they do not."""
        return next((part for part in self.parts if isinstance(part, Propagation)), None)

    @property
    def vectors(self) -> NodeVectors | None:
        """Vectors of the observed nodes, or None."""
        return next((part for part in self.parts if isinstance(part, NodeVectors)), None)

    @property
    def hops(self) -> int:
        """Number of hops that features are propagated over."""
        return max(part.hops for part in self.parts)

    @property
    def reads(self) -> str:
        """What a student of such inputs reads at inference: ``x``, ``neighbours``, ``positions``, ``labels``."""
        return " and ".join(part.reads for part in self.parts)

    @property
    def is_raw(self) -> bool:
        """Whether the inputs are the features themselves."""
        return self.parts == (Propagation(),)

    def width(self, num_features: int) -> int:
        """Returns ``D'`` of the inputs for ``D`` features."""
        return sum(part.dim if isinstance(part, NodeVectors) else part.width(num_features) for part in self.parts)

    def raw_width(self, width: int) -> int:
        """Returns ``D`` of the features for ``D'`` of the inputs."""
        own = width - (self.vectors.dim if self.vectors is not None else 0)
        return 0 if self.propagation is None else self.propagation.raw_width(own)

    def mix(self, x: Features, adj: Adjacency, nodes: Tensor | None = None) -> Inputs:
        """Computes the inputs ``[N, D']``, in the form that costs least.

        Args:
            x: ``[N, D]`` preprocessed features.
            adj: the raw graph.
            nodes: see ``NodeVectors.of``; read only where there are vectors.
        """
        if self.vectors is not None or self.propagation is None:  # factors have no columns beside them
            return self.table(x, adj, nodes)
        return self.propagation.mix(x, adj)

    def table(self, x: Features, adj: Adjacency, nodes: Tensor | None = None) -> Features:
        """Computes the inputs ``[N, D']`` as a table; see ``mix``."""
        propagation, vectors = self.propagation, self.vectors
        if vectors is None:
            assert propagation is not None
            return propagation.table(x, adj)
        own = vectors.of(adj, nodes)
        return own if propagation is None else beside(propagation.table(x, adj), own)

    def arguments(self) -> list[dict[str, Any]]:
        """Returns ``inputs`` of ``bundle.json``."""
        return [part.arguments() for part in self.parts]

    def tensors(self) -> dict[str, Tensor]:
        """Returns what ``inputs.safetensors`` of a bundle contains."""
        return {} if self.vectors is None else {"positions": self.vectors.vectors}
