"""LLP: the order and the distribution of a teacher's scores around each node."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.links.contexts import check_context
from graphkd.links.methods import LinkBatch, LinkMethod
from graphkd.ranges import check_above_zero, check_counts, check_sizes

__all__ = ["LLP"]


class LLP(LinkMethod):
    """Linkless link prediction.

    ``a · mean BCE(σ(s), y) + b · mean_v KL(softmax(t_v / τ) ‖ softmax(s_v / τ)) + c · mean_v rank_v`` over
    anchors ``v``, with scores ``t_v``, ``s_v`` of teacher and student over the context ``C_v``, and

    ``rank_v = mean over pairs u ≠ w in C_v of max(0, −r (p_u − p_w) + δ)``

    with probabilities ``p = σ(s_v)``, ``q = σ(t_v)`` and ``r = 1`` where ``q_u − q_w > δ``, −1 where it is below
    ``−δ``, 0 between. A pair with ``r = 0`` would add the constant ``δ``, which has no gradient: it adds nothing
    here, and counts in the mean. A pair and its reverse add the same: each is computed once.

    Source: Guo et al., Linkless Link Prediction via Relational Distillation, ICML 2023

    Args:
        label_weight: ``a``.
        distribution_weight: ``b``. A heuristic is 0 for most edges: a large one teaches that these are none.
        rank_weight: ``c``.
        tau: temperature ``τ``.
        margin: ``δ``, of probabilities.
        walks: from each anchor, see ``draw_contexts``; so ``length`` and ``uniform``.
        length: steps of a walk.
        uniform: nodes of a context that are drawn from all nodes.
        anchors: of one step; more nodes take turns.

    Raises:
        GraphKDError: a setting is out of its range.

    >>> method = LLP(label_weight=0.0, distribution_weight=0.0)
    >>> teacher, student = torch.tensor([[2.0, -2.0]]), torch.tensor([[0.0, 0.0]])
    >>> nothing = torch.zeros(1)
    >>> method.loss(LinkBatch(nothing, nothing, nothing, student, teacher))["rank"]  # the margin itself
    tensor(0.1000)
    """

    name = "llp"
    reads_contexts = True
    step_cost = "P d + A S d"

    def facts(self) -> tuple[str, ...]:
        """Returns what the method needs: columns of ``graphkd list methods``."""
        return "teacher of links", "student reads x", "no edges in a step", f"loss {self.step_cost}"

    def __init__(
        self,
        label_weight: float = 1.0,
        distribution_weight: float = 0.1,
        rank_weight: float = 1.0,
        tau: float = 1.0,
        margin: float = 0.1,
        walks: int = 3,
        length: int = 3,
        uniform: int = 9,
        anchors: int = 1024,
    ) -> None:
        weights = {"label_weight": label_weight, "distribution_weight": distribution_weight}
        check_sizes("links", **weights, rank_weight=rank_weight, margin=margin)
        check_above_zero("links", tau=tau)
        check_counts("links", 1, anchors=anchors)
        check_context(walks, length, uniform)
        self.label_weight, self.rank_weight = label_weight, rank_weight
        self.distribution_weight = distribution_weight
        self.tau, self.margin = tau, margin
        self.walks, self.length, self.uniform, self.anchors = walks, length, uniform, anchors

    def loss(self, batch: LinkBatch) -> dict[str, Tensor]:
        """Returns the loss, with its terms ``labels``, ``distribution`` and ``rank``."""
        student, teacher = batch.context_scores, batch.context_targets
        assert student is not None
        assert teacher is not None
        labels = F.binary_cross_entropy_with_logits(batch.scores, batch.labels)
        spread = distribution_loss(student, teacher, self.tau)
        rank = rank_loss(student.sigmoid(), teacher.sigmoid(), self.margin)
        loss = self.label_weight * labels + self.distribution_weight * spread + self.rank_weight * rank
        return {"loss": loss, "labels": labels, "distribution": spread, "rank": rank}


def distribution_loss(student: Tensor, teacher: Tensor, tau: float) -> Tensor:
    """Computes ``mean_v KL(softmax(t_v / τ) ‖ softmax(s_v / τ))`` of scores ``[a, S]``."""
    told, said = (teacher / tau).log_softmax(dim=1), (student / tau).log_softmax(dim=1)
    return F.kl_div(said, told, reduction="batchmean", log_target=True)


def rank_loss(student: Tensor, teacher: Tensor, margin: float) -> Tensor:
    """Computes the mean of ``max(0, −r (p_u − p_w) + δ)``, see ``LLP``.

    Args:
        student: ``[a, S]`` probabilities ``p``.
        teacher: ``[a, S]`` probabilities ``q``, which fix ``r``.
        margin: ``δ``.
    """
    first, second = torch.triu_indices(student.shape[1], student.shape[1], offset=1, device=student.device)
    apart = teacher[:, first] - teacher[:, second]
    order = torch.where(apart.abs() > margin, apart.sign(), 0.0)
    short = (margin - order * (student[:, first] - student[:, second])).relu()
    return (short * order.abs()).mean()
