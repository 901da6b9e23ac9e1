"""Parameters of synthetic graphs: the counts of an OGB graph, and the information in features and edges."""

from __future__ import annotations

from dataclasses import dataclass, replace

from graphkd.errors import GraphKDError


@dataclass(frozen=True)
class Plan:
    """The parameters of ``generate``.

    Every node belongs to a latent community, one per class. Edges and features depend on the community; the label
    is the community, except for a fraction ``label_noise`` of the nodes.

    Args:
        num_nodes: ``N``.
        num_edges: ``E`` distinct pairs without self-loops.
        num_features: ``D``.
        num_classes: ``C``.
        directed: whether a pair is an edge of one direction, or both directions of each are listed.
        shares: fractions of training, validation and test nodes; all other nodes have no known label.
        homophily: probability that an edge is drawn inside the sender's community.
        signal: distance of a community's centre from the origin, in standard deviations of the noise.
        label_noise: fraction of nodes whose label is that of another random node.
        class_exponent: of Zipf's law: the size of class ``c`` is proportional to ``(c + 1)^-class_exponent``.
        degree_exponent: of the power law ``P(degree) ∝ degree^-degree_exponent``.
    """

    num_nodes: int
    num_edges: int
    num_features: int
    num_classes: int
    directed: bool
    shares: tuple[float, float, float]
    homophily: float
    signal: float
    label_noise: float
    class_exponent: float = 0.9
    degree_exponent: float = 2.5

    def at(self, scale: float) -> Plan:
        """Returns the plan with ``scale · N`` nodes and the same number of edges per node.

        Raises:
            GraphKDError: a class or a part of the split would be empty.
        """
        small = replace(self, num_nodes=round(scale * self.num_nodes), num_edges=round(scale * self.num_edges))
        least = max(10 * self.num_classes, int(2 / min(self.shares)) + 1)
        if small.num_nodes < least:
            raise GraphKDError(
                f"dataset.scale is {scale:g}, which leaves {small.num_nodes} nodes for {self.num_classes} "
                f"classes: choose at least {least / self.num_nodes:.2g}"
            )
        return small

    @property
    def size(self) -> int:
        """Lower bound of the generation's memory in bytes: ``4 N D`` of features, 24 per edge (key, ends)."""
        return 4 * self.num_nodes * self.num_features + 24 * self.num_edges * (1 if self.directed else 2)


ARXIV = Plan(
    169_343, 1_166_243, 128, 40, directed=True, shares=(0.537, 0.176, 0.287),
    homophily=0.62, signal=2.85, label_noise=0.25,
)  # fmt: skip
PRODUCTS = Plan(
    2_449_029, 61_859_140, 100, 47, directed=False, shares=(0.08, 0.016, 0.904),
    homophily=0.8, signal=2.95, label_noise=0.2,
)  # fmt: skip
PAPERS100M = Plan(
    111_059_956, 1_615_685_872, 128, 172, directed=True, shares=(0.01087, 0.00113, 0.00193),
    homophily=0.6, signal=3.05, label_noise=0.33,
)  # fmt: skip
"""Counts and shares: Hu et al., Open Graph Benchmark, NeurIPS 2020. The others were tuned on validation nodes so
that a GNN outperforms an MLP by about the published margin (arxiv: GCN 71.7, MLP 55.5; products: SAGE 78, MLP 61).
Measured at scale 1 on arxiv, 3 layers of 256 with batch norm, one seed, test at the best validation epoch: GCN
73.5 (40 epochs), MLP 57.9 (100 epochs). Products and papers100M were derived from these by the accuracy of the
Bayes-optimal classifier of communities from features alone; no network was trained on them."""
