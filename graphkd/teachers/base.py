"""The base class of message-passing teachers: hops, activation, norm, residuals, dropout."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from graphkd.distributed import shard_scope
from graphkd.dropout import dropout
from graphkd.errors import GraphKDError
from graphkd.norm import make_norm
from graphkd.ranges import check_choice, check_shares
from graphkd.sparse import Adjacency, Block, Edges, Features, as_features
from graphkd.teachers.checkpoint import remade
from graphkd.teachers.output import TeacherOutput
from graphkd.teachers.readout import Readout

HOPS = ("after_activation", "before_activation")
"""Where a hidden hop's embedding may be taken."""


class Teacher(nn.Module):
    """A stack of graph convolutions.

    Hidden hop ``k`` computes

    - ``z_k = norm(conv_k(drop(e_{k-1}), A))``, with an initial residual ``α`` from the second hop on
      ``z_k = norm((1 − α) conv_k(drop(e_{k-1}), A) + α e_1)``;
    - ``e_k = act(z_k) [+ e_{k-1}]``, and ``e_0 = x``, to which no dropout is applied.

    The last hop is ``conv(drop(e), A)``: the logits. With a ``readout`` it computes one more embedding ``e_L`` as
    hidden hops do, which is no hop of the output, and then ``readout(drop(J(e_1, …, e_L)))``. A hop embedding is
    ``e_k``, or with ``hops="before_activation"`` ``z_k``; the choice changes nothing else. ``act`` is
    ``activation``, ReLU unless a teacher's paper uses another.

    Both residuals are taken before dropout, as in GCNII. Taken after it, the identity would be masked and scaled
    at every hop, ``1 / (1 − p)^L`` times in all: 16 hops with ``p = 0.5`` and a layer norm stay near chance on
    Cora (validation 0.20 for GCN, against 0.78).

    Source of the initial residual: Chen et al., Simple and Deep Graph Convolutional Networks, ICML 2020 (GCNII),
    here without its identity mapping, and added after the convolution's weights, so that it applies to every
    convolution.

    Args:
        convs: one module per hop, called as ``conv(x [m, d_in], edges) → [n, d_out]``; see ``hop``.
        hidden_dim: width of all hops but the last.
        dropout: probability.
        norm: ``none``, ``batch`` or ``layer``.
        residual: add the embedding of the hop before where the widths agree.
        initial_residual: ``α`` in [0, 1).
        hops: ``after_activation`` or ``before_activation``.
        readout: the classifier behind the last convolution, or None where that one computes the logits.

    Raises:
        GraphKDError: an unknown norm or value of ``hops``, or ``α`` outside its range.

    >>> from graphkd.teachers import GCN
    >>> teacher = GCN(num_features=8, hidden_dim=16, num_classes=3, num_layers=3, norm="batch")
    >>> isinstance(teacher, Teacher), len(teacher.convs), len(teacher.norms)
    (True, 3, 2)
    """

    name: ClassVar[str]
    full_batch_only: ClassVar[bool] = False
    """Whether a step needs the whole graph, as where it moves state by averages over all nodes."""
    static_step: ClassVar[bool] = True
    """Whether a step makes the same calls to the device every time, so that a CUDA graph can hold it."""
    answers_blocks: ClassVar[bool] = True
    """Whether a fitted network answers for a few nodes from one block per hop."""
    starts: ClassVar[bool] = False
    """Whether ``start`` is a layer of its own, whose output the initial residual leads back to."""

    def __init__(
        self,
        convs: list[nn.Module],
        hidden_dim: int,
        dropout: float,
        norm: str,
        residual: bool,
        initial_residual: float,
        hops: str,
        readout: Readout | None = None,
    ) -> None:
        super().__init__()
        check_shares("teacher", initial_residual=initial_residual)
        check_choice("teacher", HOPS, hops=hops)
        self.convs = nn.ModuleList(convs)
        hidden = convs if readout is not None else convs[:-1]
        self.norms = nn.ModuleList(make_norm(norm, hidden_dim) for _ in hidden)
        self.readout = readout
        self.dropout, self.residual = dropout, residual
        self.initial_residual, self.hops_from = initial_residual, hops

    @staticmethod
    def activation(x: Tensor) -> Tensor:
        """Applies the activation between hops."""
        return F.relu(x, inplace=True)

    def forward(
        self,
        x: Features,
        adj: Adjacency | Tensor | Sequence[Block],
        edge_weight: Tensor | None = None,
        checkpointed: bool = False,
    ) -> TeacherOutput:
        """Computes the output for all nodes, or for the receivers of the last block.

        Args:
            x: ``[N, D]``, dense or sparse, preprocessed as in training (``run.preprocess(x)``); with
                blocks the rows ``[m, D]`` of the first block's sources.
            adj: the raw graph, normalised here, once per graph; its ``edge_index [2, E]``, as PyG's networks take
                it; or one block per hop, where the sources of each block are the receivers of the block before,
                see ``graphkd.sparse.sample_blocks``.
            edge_weight: ``[E]``, only with an ``edge_index``.
            checkpointed: whether only each hop's embedding is kept for the backward pass, which recomputes the
                rest: bit-identical, dropout included, with less memory and about a third more time.

        Returns:
            ``logits [N, C]`` and ``num_layers`` hops; with blocks hop ``k`` has a row for each receiver of block
            ``k``.

        Raises:
            GraphKDError: ``x`` has more or fewer rows than ``adj`` has nodes, or the edges are invalid.
        """
        edges, run = self._edges(x, adj, edge_weight), remade if checkpointed else at_once
        hops, last, beside = self._hidden(edges, x, run)
        logits = run(self, functools.partial(self.logits, edges[-1]), last, *beside)
        return TeacherOutput(logits, [*hops, logits])

    def start(self, x: Features) -> Features:
        """Computes ``e_0`` from rows ``[m, D]``, without edges: the rows themselves."""
        return x

    def _edges(
        self, x: Features, adj: Adjacency | Tensor | Sequence[Block], edge_weight: Tensor | None
    ) -> Sequence[Edges]:
        """Returns the edges of each hop."""
        if isinstance(adj, Tensor):
            adj = Adjacency(adj, x.shape[0], edge_weight)
        elif edge_weight is not None:
            raise GraphKDError("edge_weight belongs to an edge_index: an Adjacency has its own weights")
        edges: Sequence[Edges] = [adj] * len(self.convs) if isinstance(adj, Adjacency) else adj
        if x.shape[0] != edges[0].num_nodes:
            raise GraphKDError(f"x has {x.shape[0]} rows, but the graph has {edges[0].num_nodes} nodes")
        return edges

    def _hidden(
        self, edges: Sequence[Edges], x: Features, run: Callable[..., Any]
    ) -> tuple[list[Tensor], Features, list[Tensor | None]]:
        """Computes the embeddings of the hidden hops in the output, and the inputs of the last hop."""
        last = self.start(as_features(x))
        first: Any = last if self.starts else None
        hops: list[Tensor] = []
        earlier: list[Tensor] = []
        for k, into in enumerate(edges[:-1]):
            first, *earlier = _received(into, [first, *earlier])
            embedding, last = run(self, functools.partial(self.hop, k, into), last, first)
            hops.append(embedding)
            first = last if first is None else first
            earlier += [last] if self.reads_earlier else []
        return hops, last, [] if self.readout is None else _received(edges[-1], [first, *earlier])

    def loss(
        self,
        output: TeacherOutput,
        labels: Tensor,
        index: Tensor,
        class_weight: Tensor | None = None,
        label_smoothing: float = 0.0,
    ) -> dict[str, Tensor]:
        """Returns the loss that the teacher is trained with: the mean cross-entropy of ``index``.

        Args:
            output: of the nodes of the step.
            labels: ``[N]`` of these nodes.
            index: ``[n]``, the labelled ones among them.
            class_weight: ``[C]`` of the cross-entropy, or None for 1; the mean is over nodes.
            label_smoothing: of the cross-entropy, as ``training.label_smoothing``.

        Returns:
            ``loss`` and, where there are several, its named terms.
        """
        logits = output.logits.index_select(0, index)
        if class_weight is None:
            return {"loss": F.cross_entropy(logits, labels[index], label_smoothing=label_smoothing)}
        losses = F.cross_entropy(
            logits, labels[index], class_weight.to(logits), reduction="none", label_smoothing=label_smoothing
        )
        return {"loss": losses.mean()}

    def hop(self, k: int, edges: Edges, last: Features, first: Tensor | None) -> tuple[Tensor, Tensor]:
        """Computes hidden hop ``k + 1``.

        Args:
            k: from 0.
            edges: ``m`` senders, ``n`` receivers; of a whole graph both are its ``N`` nodes.
            last: ``[m, d]`` ``e_k``.
            first: ``[n, h]`` ``e_1`` of the receivers, None in the first hop; with ``starts`` it is ``e_0``.

        Returns:
            The hop's embedding in the output, and the input of the next hop, ``[n, h]`` each.
        """
        z = self.norms[k](self._convolved(k, self._dropped(last, k, edges), edges, first))
        embedding = z.clone() if self.hops_from == "before_activation" else None  # the activation may be in place
        out = self.activation(z)
        if self.residual and last.shape[1] == out.shape[1]:
            identity = edges.receivers(last)
            out = out + (identity if isinstance(identity, Tensor) else identity.to_dense())
        return out if embedding is None else embedding, out

    def logits(self, edges: Edges, last: Features, first: Tensor | None = None, *earlier: Tensor) -> Tensor:
        """Computes the last hop.

        Args:
            edges: ``m`` senders, ``n`` receivers.
            last: ``[m, d]``, what the hop before computed.
            first: as in ``hop``, only with a readout.
            *earlier: ``[n, h]`` each, ``e_1 … e_{L-1}`` of the receivers, only where the readout reads them.

        Returns:
            ``[n, C]``.
        """
        k = len(self.convs) - 1
        if self.readout is None:
            out: Tensor = self.convs[k](self._dropped(last, k, edges), edges)
            return out
        joined = self.readout.joined([*earlier, self.hop(k, edges, last, first)[1]])
        with shard_scope(edges.part_of_receivers if isinstance(edges, Block) else None):
            joined = dropout(joined, self.dropout, self.training)
        classified: Tensor = self.readout(joined)
        return classified

    @property
    def reads_earlier(self) -> bool:
        """Whether the last hop reads the embeddings of all others."""
        return self.readout is not None and self.readout.jumps

    def _dropped(self, last: Features, k: int, edges: Edges) -> Features:
        """Applies dropout, except to ``e_0`` where that is the features."""
        if (not k and not self.starts) or not isinstance(last, Tensor):
            return last
        with shard_scope(edges.part if isinstance(edges, Block) else None):
            return dropout(last, self.dropout, self.training)

    def _convolved(self, k: int, x: Features, edges: Edges, first: Tensor | None) -> Tensor:
        """Computes the convolution of hidden hop ``k + 1``, with the initial residual."""
        return self._mixed(self.convs[k](x, edges), first)

    def _mixed(self, out: Tensor, first: Tensor | None) -> Tensor:
        """Returns ``(1 − α) out + α e_1``, or ``out`` itself where there is no ``α``, or no earlier hop."""
        return out if first is None or not self.initial_residual else out.lerp(first, self.initial_residual)


def _received(into: Edges, tables: list[Any]) -> list[Any]:
    """Returns the receivers' rows of the senders' tables, some of which may be None."""
    return [None if table is None else into.receivers(table) for table in tables]


def at_once(model: nn.Module, part: Callable[..., Any], *inputs: Any) -> Any:
    """Computes ``part(*inputs)``, as ``remade`` does without recomputing anything."""
    return part(*inputs)
