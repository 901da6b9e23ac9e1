"""CoHOp: labels of a node's surroundings as inputs, answers that agree along edges, and pseudo-labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.encoders import Encoder, Labels
from graphkd.encoders.labels import MOST_DEPTH
from graphkd.methods.base import Method, Student
from graphkd.methods.epoch import Epoch, Phase
from graphkd.methods.smoothing import VALIDATION, smoothed
from graphkd.methods.targets import Targets, mean_over
from graphkd.ranges import check_above_zero, check_counts, check_fractions, check_sizes
from graphkd.sparse import spmm
from graphkd.sparse.adjacency import reciprocal

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from graphkd.datasets import Graph
    from graphkd.teachers import TeacherOutput


class CoHOp(Method):
    """``mean_{v in L} CE(z_v, ŷ_v) + consistency · mean_v mean_{u → v} H(p_v, p_u)``, in ``rounds`` phases.

    ``H(p, q) = −Σ_c p_c log q_c``; gradients pass through both sides, and the term is one sparse product. ``L``
    are the training nodes and, from the second round on, all nodes whose largest probability in ``p'`` exceeds
    ``threshold``, with that class: ``p' = c p + (1 − c) D⁻¹ A p`` of the round before, where ``c``, of 0, 0.01 to
    1, has the best accuracy on validation nodes. Every round starts from the weights of the one before. The
    student that is shipped answers by ``p``, without smoothing.

    Inputs are features beside histograms of the labels around a node, see ``graphkd.encoders.Labels``: a node that
    arrives later needs its neighbours. The paper's student is linear (``student.num_layers=1``). Defaults are
    those published for Cora.

    Source: the released code of CoHOp

    Args:
        consistency: weight of the agreement along edges; 0 leaves it out.
        threshold: of a pseudo-label's probability, in [0, 1].
        rounds: of training; 1 has no pseudo-labels.
        decay: of a label per edge, of its own encoder, which another ``encoder`` replaces.
        depth: of the histograms, in edges, likewise.

    Raises:
        GraphKDError: a setting outside its range.

    >>> [phase.name for phase in CoHOp(rounds=3).phases()]
    ['round1', 'round2', 'round3']
    >>> CoHOp().encoder().depth
    10
    """

    name = "cohop"
    has_teacher = False
    live_edges = True
    step_cost = "E C"
    pseudo_label: Tensor
    rounds_begun: Tensor

    def __init__(
        self,
        consistency: float = 0.025,
        threshold: float = 0.5,
        rounds: int = 5,
        decay: float = 0.4,
        depth: int = 10,
    ) -> None:
        super().__init__(lam=1.0, tau=1.0)
        check_sizes("method", consistency=consistency)
        check_fractions("method", threshold=threshold)
        check_counts("method", 1, 100, rounds=rounds)
        self.consistency, self.threshold, self.rounds = consistency, threshold, int(rounds)
        check_above_zero("method", 1, decay=decay)
        check_counts("method", 1, MOST_DEPTH, depth=depth)
        self.decay, self.depth = decay, int(depth)

    def encoder(self) -> Encoder:
        """Returns histograms of labels beside raw features."""
        return Labels(self.decay, self.depth)

    def prepare(self, graph: Graph, teacher: TeacherOutput) -> Targets:
        """Returns inputs, labels and ``D⁻¹ A / N``."""
        pattern = graph.adj.structure(self_loops=0)
        pattern = pattern.filter(pattern.row != pattern.col)  # a listed self-loop agrees with itself
        shares = reciprocal(pattern.sum(dim=1).double(), "row") / graph.num_nodes
        # In the dtype of the logits: every conversion would sort the edges anew for the backward pass.
        shares = shares.to(torch.promote_types(graph.x.dtype, torch.float32))
        chosen = torch.zeros(graph.num_nodes, dtype=torch.bool, device=graph.y.device)
        chosen[graph.val] = True
        return Targets(
            inputs=graph.inputs,
            labels=graph.y,
            label_weight=mean_over(graph.train, graph.num_nodes),
            tables={"row": torch.arange(graph.num_nodes, device=graph.y.device), VALIDATION: chosen},
            edges=pattern.with_values(shares.index_select(0, pattern.row)),
        )

    def build(self, make: Callable[[], nn.Module], targets: Targets, teacher: TeacherOutput) -> nn.Module:
        """Registers the labels of a round, −1 where there is none, and how many rounds have begun."""
        labels = torch.where(targets.label_weight != 0, targets.labels, -1)
        self.register_buffer("pseudo_label", labels)
        self.register_buffer("rounds_begun", torch.zeros((), dtype=torch.int64))
        return make()

    def phases(self) -> tuple[Phase, ...]:
        """Returns one phase per round."""
        return tuple(Phase(f"round{k}") for k in range(1, self.rounds + 1))

    def on_epoch_start(self, epoch: Epoch, targets: Targets) -> None:
        """Sets the labels of a round before its first epoch."""
        if epoch.number > 0:
            return
        if int(self.rounds_begun) > 0:
            assert targets.edges is not None
            p = smoothed(epoch.logits().softmax(dim=1), targets)
            confidence, answer = p.max(dim=1)
            found = torch.where(confidence > self.threshold, answer, -1)
            self.pseudo_label.copy_(torch.where(targets.label_weight != 0, targets.labels, found))
        self.rounds_begun.add_(1)

    def training_step(self, student: Student, batch: Targets) -> dict[str, Tensor]:
        """Returns the loss, with terms ``label`` and, where it has weight, ``consistency``."""
        output = student(batch.inputs)
        label = self._label_loss(batch.own_output(output).logits, batch)
        if self.consistency == 0:
            return {"loss": label, "label": label}
        assert batch.edges is not None
        log_p = F.log_softmax(output.logits, dim=1)
        own = log_p if batch.own is None else log_p.index_select(0, batch.own)
        neighbours = spmm(batch.edges.to(log_p.dtype), log_p)
        consistency = -batch.scale * (own.exp() * neighbours).sum()
        return {"loss": label + self.consistency * consistency, "label": label, "consistency": consistency}

    def _label_loss(self, logits: Tensor, batch: Targets) -> Tensor:
        labels = self.pseudo_label[batch.tables["row"]]
        mine = (labels >= 0).nonzero().reshape(-1)
        total = (self.pseudo_label >= 0).sum().clamp_min(1)
        losses = batch.cross_entropy(logits[mine], labels[mine], reduction="sum")
        return batch.scale * losses / total
