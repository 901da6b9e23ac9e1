"""Features propagated over the graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphkd.checks import is_whole
from graphkd.encoders.base import Encoder
from graphkd.encoders.encoding import Encoding
from graphkd.encoders.propagation import Propagation
from graphkd.errors import GraphKDError
from graphkd.sparse import check_pooling

if TYPE_CHECKING:
    from graphkd.datasets import Graph


@dataclass(frozen=True)
class Propagated(Encoder):
    """``POOL({X, ÃX, …, Ã^P X})`` with ``Ã = D^-1/2 (A + s I) D^-1/2``: the student needs its neighbourhood.

    Source: InfGraND, equation 5; Wu et al., Simplifying Graph Convolutional Networks, ICML 2019

    Args:
        hops: ``P``; 0 leaves the features unchanged.
        self_loops: ``s``; InfGraND's ``variant=reference`` has 2.
        pooling: of the hops: ``mean``, ``max``, ``min``, or ``concat``, which widens the student's first layer to
            ``(P + 1) D``.

    Raises:
        GraphKDError: a setting outside its range.

    >>> Propagated(hops=2, pooling="concat").width(10)
    30
    """

    name = "propagated"
    hops: int = 2
    self_loops: int = 1
    pooling: str = "mean"

    def __post_init__(self) -> None:
        check_propagation(self.hops, self.self_loops, self.pooling)

    @property
    def propagation(self) -> Propagation:
        """The propagation, for a graph without weights."""
        return Propagation(self.hops, self.self_loops, False, self.pooling) if self.hops else Propagation()

    def fit(self, graph: Graph, seed: int = 0) -> Encoding:
        """Returns the encoding, which keeps whether the graph has weights."""
        return Encoding((self.propagation.on(graph.adj),))


def check_propagation(hops: object, self_loops: object, pooling: str) -> None:
    """Raises ``GraphKDError`` for a setting outside its range."""
    for name, value in {"hops": hops, "self_loops": self_loops}.items():
        if not (is_whole(value) and value >= 0):  # type: ignore[operator]
            raise GraphKDError(f"encoder.{name} is {value}: it must be a whole number, 0 or more")
    check_pooling(pooling)
