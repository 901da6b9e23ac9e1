"""VQGraph's teacher: a GCN whose hidden nodes are quantised by a codebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphkd import ranges
from graphkd.errors import GraphKDError
from graphkd.norm import check_sizes, layer_widths
from graphkd.sparse import Adjacency, Block, Edges, Features
from graphkd.teachers.base import Teacher, at_once
from graphkd.teachers.codebook import Codebook
from graphkd.teachers.edge_error import edge_error
from graphkd.teachers.gcn import GCNLayer
from graphkd.teachers.output import TeacherOutput

MOST_CODES = 2**20
"""Largest number of codes."""

PARTS = ("commitment", "features", "edges")
"""Losses beside the labels', in the order of their weights."""


class VQGraph(Teacher):
    """``z = W relu(Ã D1(e) V + c) + b`` of ``e``, the code nearest to the last hidden hop ``h`` of a GCN.

    The last hidden hop, after dropout, is replaced by its code of length 1 (``Codebook``, nearest by cosine); its
    gradient is passed on to ``h``. The training loss is

    ``CE + lam_commit · mean (h − sg(e))² + lam_node · mean (h − D2(e))² + lam_edge · sqrt(mean_ij (A° − g)_ij²)``

    with linear decoders ``D1`` and ``D2``, and ``g`` the products ``⟨D1(e_i), D1(e_j)⟩``, shifted and scaled to
    [0, 1]. The mean over all ``N²`` pairs is estimated: that of ``pairs`` drawn edges, self-loops among them, and
    that of as many drawn pairs that are none, each with its share of the ``N²``; of a graph of at most ``pairs``
    pairs it is exact. No ``N × N`` table is made.

    The output holds ``tokens``, ``h / ‖h‖``, and the constant ``codebook``; their products are the similarities
    that a student learns. The log has the share of codes in use, ``codes``. The released code quantises hidden
    layers as wide as the features, leaves ``reseed`` and ``kmeans`` off, and multiplies all pairs.

    Source: Yang et al., VQGraph: Rethinking Graph Representation Space for Bridging GNNs and MLPs, ICLR 2024

    Args:
        num_features: ``D``.
        hidden_dim: width of the hops before the last, and of the codes.
        num_classes: ``C``.
        num_layers: hops, from 2.
        dropout: probability, after each activation.
        norm: ``none``, ``batch`` or ``layer``.
        residual: add the embedding of the hop before where the widths agree.
        initial_residual: share of the first hop in the convolution output of every later hidden hop.
        hops: whether hidden hops are taken ``after_activation`` and residual, or ``before_activation``.
        codes: ``M``.
        decay: of the codes' moving average, in [0, 1).
        lam_commit: weight of the commitment.
        lam_node: weight of the reconstructed hidden nodes.
        lam_edge: weight of the reconstructed edges.
        pairs: pairs that are drawn in a step.
        reseed: a code with fewer rows is replaced by a drawn row; 0 leaves it.
        kmeans: whether codes start from clusters of the first step's rows.

    Raises:
        GraphKDError: an invalid size, or a setting outside its range.

    >>> from graphkd.testing.graphs import small_graph
    >>> graph = small_graph()
    >>> output = VQGraph(graph.num_features, hidden_dim=16, num_classes=3, codes=32).eval()(graph.x, graph.adj)
    >>> output.extras["tokens"].shape, output.constants["codebook"].shape
    (torch.Size([60, 16]), torch.Size([32, 16]))
    """

    name = "vqgraph"
    full_batch_only = True
    static_step = False

    def __init__(
        self,
        num_features: int,
        hidden_dim: int = 128,
        num_classes: int = 2,
        num_layers: int = 2,
        dropout: float = 0.5,
        norm: str = "none",
        residual: bool = False,
        initial_residual: float = 0.0,
        hops: str = "after_activation",
        codes: int = 5000,
        decay: float = 0.8,
        lam_commit: float = 0.25,
        lam_node: float = 1e-3,
        lam_edge: float = 3e-2,
        pairs: int = 2**14,
        reseed: float = 0.0,
        kmeans: bool = False,
    ) -> None:
        check_sizes(num_layers, hidden_dim, dropout)
        if num_layers < 2:
            raise GraphKDError("teacher=vqgraph quantises a hidden hop: set teacher.num_layers to 2 or more")
        ranges.check_counts("teacher", 1, MOST_CODES, codes=codes, pairs=pairs)
        ranges.check_sizes("teacher", lam_commit=lam_commit, lam_node=lam_node, lam_edge=lam_edge, reseed=reseed)
        ranges.check_shares("teacher", decay=decay)
        widths = layer_widths(num_features, hidden_dim, num_classes, num_layers)[:-1]
        convs: list[nn.Module] = [GCNLayer(*pair, norm != "batch") for pair in widths]
        convs.append(_Classifier(hidden_dim, num_classes))
        super().__init__(convs, hidden_dim, dropout, norm, residual, initial_residual, hops)
        self.term_weights, self.pairs = (lam_commit, lam_node, lam_edge), int(pairs)
        self.codebook = Codebook(int(codes), hidden_dim, decay, float(reseed), bool(kmeans))
        self.edge_decoder, self.node_decoder = (nn.Linear(hidden_dim, hidden_dim) for _ in range(2))

    def forward(
        self,
        x: Features,
        adj: Adjacency | Tensor | Sequence[Block],
        edge_weight: Tensor | None = None,
        checkpointed: bool = False,
    ) -> TeacherOutput:
        """Computes the output; see ``Teacher.forward``.

        Returns:
            In training the losses of ``PARTS`` and the share of codes in use as constants; else ``tokens [N, d]``
            among the extras and ``codebook [M, d]`` among the constants, unless blocks are given.

        Raises:
            GraphKDError: it is trained on a part of the nodes, or recomputed.
        """
        whole = isinstance(adj, Adjacency | Tensor) and not checkpointed
        if not whole and self.training:
            raise GraphKDError(
                "teacher=vqgraph moves its codes by all nodes of a step: use training.teacher_batches=full"
            )
        if not whole:
            return super().forward(x, adj, edge_weight, checkpointed)
        edges = self._edges(x, adj, edge_weight)
        graph = edges[-1]
        assert isinstance(graph, Adjacency)
        hops, last, _ = self._hidden(edges, x, at_once)
        h = self._dropped(last, len(self.norms), graph)
        assert isinstance(h, Tensor)
        code, index = self.codebook(h)
        passed = h + (code - h).detach()
        decoded = self.edge_decoder(passed)
        logits: Tensor = self.convs[-1](decoded, graph)
        output = TeacherOutput(logits, [*hops, logits])
        if not self.training:
            tokens = {"tokens": F.normalize(h, dim=1)}
            return replace(output, extras=tokens, constants={"codebook": self.codebook.codes})
        parts = (
            F.mse_loss(h, code),
            F.mse_loss(h, self.node_decoder(passed)),
            edge_error(decoded, graph, self.pairs),
        )
        return replace(output, constants={**dict(zip(PARTS, parts, strict=True)), "codes": self._in_use(index)})

    def loss(
        self,
        output: TeacherOutput,
        labels: Tensor,
        index: Tensor,
        class_weight: Tensor | None = None,
        label_smoothing: float = 0.0,
    ) -> dict[str, Tensor]:
        """Returns the labels' loss of ``index [n]`` and the weighted rest, and each of them before weighting."""
        label = super().loss(output, labels, index, class_weight, label_smoothing)["loss"]
        rest = [weight * output.constants[part] for weight, part in zip(self.term_weights, PARTS, strict=True)]
        return {"loss": label + torch.stack(rest).sum(), "label": label, **output.constants}

    def logits(self, edges: Edges, last: Features, first: Tensor | None = None, *earlier: Tensor) -> Tensor:
        """Quantises the last hidden hop ``[n, d]`` and computes the last one: ``[n, C]``."""
        h = self._dropped(last, len(self.norms), edges)
        out: Tensor = self.convs[-1](self.edge_decoder(self.codebook(h)[0]), edges)
        return out

    def _in_use(self, index: Tensor) -> Tensor:
        used = index.new_zeros(self.codebook.codes.shape[0]).index_fill_(0, index, 1)
        return used.double().mean()


class _Classifier(nn.Module):
    """``W relu(Ã X Vᵀ + c) + b``."""

    def __init__(self, width: int, num_classes: int) -> None:
        super().__init__()
        self.conv, self.linear = GCNLayer(width, width), nn.Linear(width, num_classes)

    def forward(self, x: Tensor, edges: Edges) -> Tensor:
        """Computes ``[m, d]`` → ``[n, C]``."""
        out: Tensor = self.linear(F.relu(self.conv(x, edges)))
        return out
