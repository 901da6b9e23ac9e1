"""Positions of nodes in the graph, beside their features."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from graphkd.checks import is_real, is_whole
from graphkd.encoders.base import Encoder
from graphkd.encoders.encoding import Encoding, Part
from graphkd.encoders.propagated import check_propagation
from graphkd.encoders.propagation import Propagation
from graphkd.encoders.vectors import NodeVectors
from graphkd.errors import GraphKDError

if TYPE_CHECKING:
    from graphkd.datasets import Graph
    from graphkd.sparse import Adjacency

KINDS = ("deepwalk", "node2vec", "laplacian", "random_walk")
FEATURES = ("raw", "propagated", "none")


@dataclass(frozen=True)
class Positions(Encoder):
    """Positions of the observed nodes, made from edges alone, side by side with the features.

    A node that arrives later has the mean of its observed neighbours' positions, zeros without any.

    Source: Tian et al., Learning MLPs on Graphs: NOSMOG, ICLR 2023; DeepWalk: Perozzi et al., KDD 2014; node2vec:
        Grover and Leskovec, KDD 2016; Laplacian eigenvectors and random-walk return probabilities: Dwivedi et al.,
        JMLR 2023 and ICLR 2022

    Args:
        kind: ``deepwalk``, ``node2vec``, ``laplacian`` or ``random_walk``, see ``graphkd.positions``.
        dim: length of a position.
        features: beside them: ``raw``, ``propagated`` or ``none``.
        hops: ``P`` of propagated features; ``self_loops`` and ``pooling`` as for ``Propagated``.
        self_loops: see ``hops``.
        pooling: see ``hops``.
        walks: from each node; this and what follows is read by ``deepwalk`` and ``node2vec``.
        length: of a walk, in nodes.
        window: largest distance of a pair within a walk.
        negatives: drawn for each pair.
        epochs: passes over the walks.
        p: of ``node2vec``: a walk returns with weight ``1 / p``.
        q: of ``node2vec``: it moves away with weight ``1 / q``.
        seed: of walks and start; not of the run, so that the seeds of a run share positions.

    Raises:
        GraphKDError: a setting outside its range.

    >>> Positions(dim=64).width(1433)
    1497
    """

    name = "positions"
    kind: str = "deepwalk"
    dim: int = 64
    features: str = "raw"
    hops: int = 2
    self_loops: int = 1
    pooling: str = "mean"
    walks: int = 10
    length: int = 40
    window: int = 5
    negatives: int = 5
    epochs: int = 1
    p: float = 1.0
    q: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, choices in (("kind", KINDS), ("features", FEATURES)):
            value = getattr(self, name)
            if value not in choices:
                raise GraphKDError(f"encoder.{name} is {value!r}: choose one of {', '.join(choices)}")
        for name in ("dim", "walks", "length", "window", "negatives", "epochs"):
            value = getattr(self, name)
            if not (is_whole(value) and 1 <= value <= 2**20):
                raise GraphKDError(f"encoder.{name} is {value!r}: it must be a whole number from 1 to {2**20}")
        for name in ("p", "q"):
            value = getattr(self, name)
            if not (is_real(value) and 0.01 <= value <= 100):
                raise GraphKDError(f"encoder.{name} is {value!r}: it must lie between 0.01 and 100")
        if self.length < 2:
            raise GraphKDError("encoder.length is 1, a walk without pairs: give a whole number from 2")
        if not (is_whole(self.seed) and 0 <= self.seed < 2**31):
            raise GraphKDError(f"encoder.seed is {self.seed!r}: it must be a whole number from 0 to {2**31 - 1}")
        check_propagation(self.hops, self.self_loops, self.pooling)

    @property
    def propagation(self) -> Propagation | None:
        """How the features beside the positions enter, for a graph without weights."""
        if self.features == "none":
            return None
        hops = self.hops if self.features == "propagated" else 0
        return Propagation(hops, self.self_loops, False, self.pooling) if hops else Propagation()

    def extra(self, num_classes: int = 0) -> int:
        """Returns the number of columns beside the features."""
        return self.dim

    def fit(self, graph: Graph, seed: int = 0, checkpoint: Path | None = None) -> Encoding:
        """Computes the positions of the graph's nodes.

        Args:
            graph: the observed one; its edges are read, nothing else.
            seed: unused: ``encoder.seed`` is the seed of positions.
            checkpoint: file from which a computation that was killed goes on.
        """
        return self.encoding(graph.adj, self.compute(graph.adj, checkpoint))

    def encoding(self, adj: Adjacency, vectors: Tensor) -> Encoding:
        """Returns the encoding of positions ``vectors [n, dim]`` that are computed already."""
        features: list[Part] = [] if self.propagation is None else [self.propagation.on(adj)]
        return Encoding((*features, NodeVectors(vectors)))

    def compute(self, adj: Adjacency, checkpoint: Path | None = None) -> Tensor:
        """Computes positions ``[n, dim]`` float32 on the CPU; see ``fit``."""
        from graphkd import positions

        adj = adj.to("cpu")
        if self.kind == "laplacian":
            return positions.laplacian(adj, self.dim, self.seed)
        if self.kind == "random_walk":
            return positions.random_walk(adj, self.dim)
        walk: Callable[..., Tensor] = positions.deepwalk
        p, q = (self.p, self.q) if self.kind == "node2vec" else (1.0, 1.0)
        names = ("dim", "walks", "length", "window", "negatives", "epochs", "seed")
        settings: dict[str, Any] = {name: getattr(self, name) for name in names}
        return walk(adj, **settings, p=p, q=q, progress=sys.stderr.isatty(), checkpoint=checkpoint)
