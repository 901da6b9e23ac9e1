"""Histograms of the training labels around a node, beside its features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.checks import is_real, is_whole
from graphkd.encoders.base import Encoder
from graphkd.encoders.encoding import Encoding
from graphkd.encoders.propagation import Propagation
from graphkd.encoders.vectors import NodeVectors
from graphkd.errors import GraphKDError
from graphkd.sparse import spmm

if TYPE_CHECKING:
    from graphkd.datasets import Graph

SOURCES = 256
"""Training nodes whose distances to all nodes are computed at a time."""

MOST_DEPTH = 50
"""Largest distance at which labels are read."""


@dataclass(frozen=True)
class Labels(Encoder):
    """``[x_v ‖ h_v]`` with ``h_v ∝ Σ_u decay^d(u, v) · onehot(y_u)``.

    The sum is over training nodes ``u ≠ v`` whose distance ``d(u, v)``, in edges from ``u`` to ``v``, is ``depth``
    or less; rows sum to 1, or are zeros where there is none. A training node does not read its own label, at
    distance 0 or on a way back, since distances are shortest paths. The released code includes distance 0, by
    which a student reads the labels that it is trained on.

    A node that arrives later has the mean of its observed neighbours' histograms, zeros without any. It is not
    what ``h_v`` would be: the histogram of a training neighbour lacks that neighbour's own label.

    Computing takes ``depth`` sparse products ``E × 256`` for every 256 training nodes.

    Source: the released code of CoHOp, whose inputs these are

    Args:
        decay: ``s``, the weight of a label per edge, above 0, 1 at most.
        depth: ``R``, from 1 to 50.

    Raises:
        GraphKDError: a setting outside its range.

    >>> Labels().width(1433, num_classes=7)
    1440
    """

    name = "labels"
    decay: float = 0.4
    depth: int = 10

    def __post_init__(self) -> None:
        if not (is_real(self.decay) and 0 < self.decay <= 1):
            raise GraphKDError(f"encoder.decay is {self.decay!r}: it must be a number above 0, 1 at most")
        if not (is_whole(self.depth) and 1 <= self.depth <= MOST_DEPTH):
            raise GraphKDError(
                f"encoder.depth is {self.depth!r}: it must be a whole number from 1 to {MOST_DEPTH}"
            )

    def extra(self, num_classes: int = 0) -> int:
        """Returns the number of columns beside the features, ``C``."""
        return num_classes

    @property
    def reads(self) -> str:
        """What a student of such inputs reads at inference."""
        return "x and labels"

    def fit(self, graph: Graph, seed: int = 0) -> Encoding:
        """Computes the histograms of the graph's nodes from its edges and the labels of its training nodes.

        Args:
            graph: the observed one.
            seed: unused: nothing is drawn.
        """
        return Encoding((Propagation(), NodeVectors(label_histograms(graph, self.decay, self.depth), "labels")))


def label_histograms(graph: Graph, decay: float, depth: int) -> Tensor:
    """Computes ``h [N, C]`` float32; see ``Labels``.

    Args:
        graph: the observed one.
        decay: ``s``.
        depth: ``R``.
    """
    edges, device = graph.adj.structure(self_loops=0).to(torch.float32), graph.y.device
    counts = torch.zeros(graph.num_nodes, graph.num_classes, dtype=torch.float64, device=device)
    for sources in torch.split(graph.train, SOURCES):
        onehot = F.one_hot(graph.y[sources], graph.num_classes).double()
        reached = torch.zeros(graph.num_nodes, sources.numel(), dtype=torch.bool, device=device)
        reached[sources, torch.arange(sources.numel(), device=device)] = True  # distance 0, which is not counted
        front = reached
        for distance in range(1, depth + 1):
            front = (spmm(edges, front.to(torch.float32)) > 0) & ~reached
            reached = reached | front
            counts += decay**distance * (front.double() @ onehot)
    total = counts.sum(dim=1, keepdim=True)
    return torch.where(total > 0, counts / total, counts).to(torch.float32)
