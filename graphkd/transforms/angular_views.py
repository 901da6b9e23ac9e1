"""Views of one teacher: heads over its last hidden layer, spread evenly around it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.ranges import check_above_zero, check_counts, check_fractions
from graphkd.transforms.angular_heads import Heads
from graphkd.transforms.angular_losses import inter_angle, intra_angle
from graphkd.transforms.base import Fitted, Transform
from graphkd.transforms.distributions import mixture

if TYPE_CHECKING:
    from graphkd.datasets import Graph
    from graphkd.teachers import TeacherOutput

LABELS, FEATURES = 0.8, 0.1
"""Weights of the label loss, and of the inter-angle loss of features; those of the other losses are 1."""


class AngularViews(Transform):
    """``t = τ log Σ_k w_k softmax(z_k / τ)`` over the teacher, ``k = 0``, and ``views`` heads.

    Head ``i`` reads the frozen last hidden layer ``F [n, d]``: ``A_i = BN_i(W_i dropout_{p_i}(F) + b_i)``, ``Z_i =
    V_i A_i + c_i``. ``p_i`` goes from ``least_dropout`` to ``most_dropout``; the rows of ``W_i`` for the same unit
    are orthonormal across heads at the start, where ``d`` allows as many; scale and shift of ``BN_i`` start at one
    draw from ``Normal(m_i, m_i)``, ``m_i`` from 1 to 0.6. Each step takes a batch of observed nodes and minimises

    ``0.1 inter(F, A) + intra(F, A) + inter(p, P) + intra(p, P) + 0.8 Σ_i mean_{v labelled} CE(Z_i, y)``

    with distributions ``p``, ``P`` at ``temperature`` (see ``angular_losses``). ``w`` is 1 for the teacher and
    ``weight`` for a head, scaled to sum to 1. The hop before the logits becomes ``w_0 F + Σ_i w_i A_i``, the last
    one ``t``; earlier hops stay. Training costs ``epochs n views d (d + batch_size)``, without the graph.

    Source: Yu et al., Single-Teacher View Augmentation: Boosting Knowledge Distillation via Angular Diversity,
        NeurIPS 2025, with unit rows over features and weights that sum to 1, unlike the released code

    Args:
        views: heads.
        weight: of a head beside the teacher's 1, in [0, 1]; with 0 the teacher stays as it is.
        margin: of the cosine to the teacher, in [0, 1].
        temperature: of the distributions whose angles are compared, above 0. At the source's 4, which is for image
            classifiers, distributions of few classes can be within the margin and name another class than the
            teacher; at 1 less so, see ``experiments/views``.
        least_dropout: of the first head.
        most_dropout: of the last head.
        epochs: of training, with Adam.
        batch_size: rows of a step, at most.
        lr: learning rate.

    >>> from graphkd.teachers import GCN
    >>> from graphkd.testing.graphs import small_graph
    >>> graph, transform = small_graph(), AngularViews(views=2, epochs=1)
    >>> teacher = GCN(8, 16, 3)(graph.x, graph.adj).detach()
    >>> mixed = transform(graph, teacher, tau=1.0, fitted=Fitted(transform.fit(graph, teacher)))
    >>> [hop.shape for hop in mixed.hops]
    [torch.Size([60, 16]), torch.Size([60, 3])]
    """

    name = "angular_views"

    def __init__(
        self,
        views: int = 5,
        weight: float = 0.8,
        margin: float = 0.2,
        temperature: float = 1.0,
        least_dropout: float = 0.15,
        most_dropout: float = 0.35,
        epochs: int = 30,
        batch_size: int = 256,
        lr: float = 0.01,
    ) -> None:
        check_counts("transform", 1, views=views, epochs=epochs)
        check_counts("transform", 4, batch_size=batch_size)
        check_fractions(
            "transform", weight=weight, margin=margin, least_dropout=least_dropout, most_dropout=most_dropout
        )
        check_above_zero("transform", temperature=temperature, lr=lr)
        if not least_dropout <= most_dropout < 1:
            raise GraphKDError(
                f"transform.most_dropout is {most_dropout}: it must be at least transform.least_dropout, "
                f"{least_dropout}, and below 1"
            )
        self.views, self.weight, self.margin, self.temperature = int(views), weight, margin, temperature
        self.least_dropout, self.most_dropout = least_dropout, most_dropout
        self.epochs, self.batch_size, self.lr = int(epochs), int(batch_size), lr

    def check(self, teacher: TeacherOutput) -> None:
        """Checks that the teacher has a hidden layer.

        Raises:
            GraphKDError: it has none, or only its logits are known.
        """
        if len(teacher.hops) < 2:
            raise GraphKDError(
                "transform=angular_views reads the teacher's last hidden layer, and only its logits are there: "
                "give a teacher of two layers or more, or choose another transform"
            )

    def fit(self, graph: Graph, teacher: TeacherOutput) -> dict[str, Tensor]:
        """Returns the state of the trained heads."""
        features, logits = teacher.hops[-2], teacher.logits
        heads = self._heads(features.shape[1], logits.shape[1]).to(features.device)
        optimizer = torch.optim.Adam(heads.parameters(), self.lr, fused=True)
        labels = torch.full_like(graph.y, -1)
        labels[graph.train] = graph.y[graph.train]
        parts = -(-len(features) // self.batch_size)
        for _ in range(self.epochs):
            for rows in torch.randperm(len(features)).to(features.device).tensor_split(parts):
                optimizer.zero_grad()
                torch.autograd.backward(self.loss(heads, features[rows], logits[rows], labels[rows]))
                optimizer.step()
        return {name: tensor.detach() for name, tensor in heads.state_dict().items()}

    def loss(self, heads: Heads, features: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
        """Computes the loss of the heads on a batch.

        Args:
            heads: in training mode.
            features: ``[B, d]`` of the teacher.
            logits: ``[B, C]`` of the teacher.
            labels: ``[B]``, −1 where there is none.
        """
        hidden, answers = heads(features)
        soft, views = ((each / self.temperature).softmax(dim=-1) for each in (logits, answers))
        angles = FEATURES * inter_angle(features, hidden, self.margin) + intra_angle(features, hidden)
        angles = angles + inter_angle(soft, views, self.margin) + intra_angle(soft, views)
        seen = labels >= 0
        if not bool(seen.any()):
            return angles
        targets = labels[seen].repeat(self.views)
        return angles + LABELS * self.views * F.cross_entropy(answers[:, seen].flatten(0, 1), targets)

    def __call__(
        self, graph: Graph, teacher: TeacherOutput, tau: float, fitted: Fitted | None = None
    ) -> TeacherOutput:
        """Returns the ensemble of teacher and views, computed in blocks of rows."""
        assert fitted is not None
        features, logits = teacher.hops[-2], teacher.logits
        heads = self._heads(features.shape[1], logits.shape[1]).to(features.device)
        heads.load_state_dict({name: tensor.to(features.device) for name, tensor in fitted.tensors.items()})
        weights = torch.tensor([1.0, *[self.weight] * self.views], dtype=torch.float64, device=logits.device)
        weights /= weights.sum()
        mixed, answered = torch.empty_like(features), torch.empty_like(logits)
        for start in range(0, len(features), self.batch_size):
            rows = slice(start, start + self.batch_size)
            hidden, answers = heads.eval()(features[rows])
            parts = torch.cat([features[rows].unsqueeze(0), hidden]).double()
            mixed[rows] = torch.einsum("k,kbd->bd", weights, parts).to(mixed.dtype)
            both = torch.cat([logits[rows].unsqueeze(0), answers]).double()
            answered[rows] = mixture(both, weights, tau).to(answered.dtype)
        return replace(teacher, logits=answered, hops=[*teacher.hops[:-2], mixed, answered])

    def _heads(self, width: int, classes: int) -> Heads:
        dropout = torch.linspace(self.least_dropout, self.most_dropout, self.views)
        return Heads(width, classes, dropout)
