"""Losses of students: what a method makes of its scores, labels and the teacher's scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from graphkd.ranges import check_above_zero, check_fractions


@dataclass(frozen=True)
class LinkBatch:
    """One step of a student; scores are logits.

    Args:
        scores: ``[B]`` the student's, of edges and pairs without one.
        labels: ``[B]`` 1 or 0.
        targets: ``[B]`` the teacher's, where a method reads it.
        context_scores: ``[a, S]`` the student's scores of anchors and their contexts, where a method reads them.
        context_targets: ``[a, S]`` the teacher's.
    """

    scores: Tensor
    labels: Tensor
    targets: Tensor | None = None
    context_scores: Tensor | None = None
    context_targets: Tensor | None = None


class LinkMethod:
    """The base class of methods: one function, from a step's scores to its loss.

    >>> class Squares(LinkMethod):
    ...     name = "squares"
    ...
    ...     def loss(self, batch):
    ...         return {"loss": (batch.scores - batch.targets).pow(2).mean()}
    >>> import torch
    >>> Squares().loss(LinkBatch(torch.tensor([1.0]), torch.ones(1), targets=torch.tensor([3.0])))["loss"]
    tensor(4.)
    """

    name: ClassVar[str]
    reads_teacher: ClassVar[bool] = True
    reads_contexts: ClassVar[bool] = False
    step_cost: ClassVar[str] = "P d"

    def loss(self, batch: LinkBatch) -> dict[str, Tensor]:
        """Returns ``loss`` and, where there are several, its named terms."""
        raise NotImplementedError


class Labels(LinkMethod):
    """Labels alone, the baseline ``mlp``: ``mean BCE(σ(s), y)``.

    >>> import torch
    >>> Labels().loss(LinkBatch(torch.zeros(2), torch.tensor([1.0, 0.0])))["loss"]
    tensor(0.6931)
    """

    name = "mlp"
    reads_teacher = False

    def loss(self, batch: LinkBatch) -> dict[str, Tensor]:
        """Returns the loss."""
        return {"loss": F.binary_cross_entropy_with_logits(batch.scores, batch.labels)}


class GLNN(LinkMethod):
    """The teacher's score of each pair: ``lam · mean BCE(σ(s), y) + (1 − lam) · mean BCE(σ(s / τ), σ(t / τ))``.

    Source: the logit matching that Guo et al., Linkless Link Prediction via Relational Distillation, ICML 2023,
        compare with

    Args:
        lam: weight of the labels, in [0, 1].
        tau: temperature ``τ``.

    Raises:
        GraphKDError: a setting is out of its range.

    >>> import torch
    >>> batch = LinkBatch(torch.zeros(1), torch.ones(1), targets=torch.tensor([0.0]))
    >>> GLNN(lam=0.0).loss(batch)["loss"]
    tensor(0.6931)
    """

    name = "glnn"

    def __init__(self, lam: float = 0.5, tau: float = 1.0) -> None:
        check_fractions("links", lam=lam)
        check_above_zero("links", tau=tau)
        self.lam, self.tau = lam, tau

    def loss(self, batch: LinkBatch) -> dict[str, Tensor]:
        """Returns the loss, with its terms ``labels`` and ``soft``."""
        assert batch.targets is not None
        labels = F.binary_cross_entropy_with_logits(batch.scores, batch.labels)
        told = (batch.targets / self.tau).sigmoid()
        soft = F.binary_cross_entropy_with_logits(batch.scores / self.tau, told)
        return {"loss": self.lam * labels + (1 - self.lam) * soft, "labels": labels, "soft": soft}
