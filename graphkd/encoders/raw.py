"""Features as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphkd.encoders.base import Encoder
from graphkd.encoders.encoding import Encoding
from graphkd.encoders.propagation import Propagation

if TYPE_CHECKING:
    from graphkd.datasets import Graph


@dataclass(frozen=True)
class Raw(Encoder):
    """``X``: the student reads a node's own features, and no graph.

    Source: Zhang et al., Graph-less Neural Networks, ICLR 2022

    >>> Raw().width(10)
    10
    """

    name = "raw"

    def fit(self, graph: Graph, seed: int = 0) -> Encoding:
        """Returns the encoding that leaves rows as they are."""
        return Encoding((Propagation(),))
