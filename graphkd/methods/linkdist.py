"""LinkDist and CoLinkDist: a student with a second head for its neighbours' classes; no teacher."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphkd.dropout import dropout
from graphkd.errors import GraphKDError
from graphkd.methods.base import Method, Student
from graphkd.methods.links import both_ways, label_loss, random_links, squared_distance
from graphkd.methods.probing import probe_of
from graphkd.methods.targets import Targets
from graphkd.ranges import check_fractions, check_sizes
from graphkd.sparse import spmm

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphkd.datasets import Graph
    from graphkd.students import StudentOutput
    from graphkd.teachers import TeacherOutput


class LinkDist(Method):
    """``mean_{(u, v)} [alpha (MSE(y_u, s_v) + MSE(y_v, s_u))] + L_label``: ends of an edge predict each other.

    ``y`` are the student's logits, ``s`` those of a second head on its last hidden layer, for the class of a
    neighbour. ``L_label`` is twice the weighted mean of ``CE(y_x, Y_x) + CE(s_o, Y_x)`` over the labelled ends
    ``x`` of edges, with ``o`` at the other end; a label of class ``k`` weighs ``c_k ∝ n_k / e_k``, of ``n_k``
    labelled nodes and ``e_k`` labelled ends. ``alpha`` is by default the share of ends without a label. Edges are
    those of the graph in either direction, without self-loops.

    Distances and labels over edges are sparse products of width ``C``: nothing is stored per edge. A batch has the
    edges of its rows and the inputs of their neighbours; its loss is an unbiased estimate. ``y`` alone is shipped,
    a plain MLP. Left out of the released code: norm and activation of each head's own, and its inductive rule,
    that no edge of a validation or test node is read: here the setting hides nodes, with their edges.

    Source: Luo et al., Distilling Self-Knowledge From Contrastive Links to Classify Graph Nodes Without Passing
        Messages (LinkDist), arXiv 2106.08541, 2021

    Args:
        alpha: weight of the distances, in [0, 1].

    >>> from graphkd.teachers import TeacherOutput
    >>> from graphkd.testing.graphs import small_graph
    >>> targets = LinkDist().prepare(small_graph(), TeacherOutput(torch.zeros(60, 3)))
    >>> targets.edges.shape, targets.soft is None
    ((60, 60), True)
    """

    name = "linkdist"
    has_teacher = False
    live_edges = True
    step_cost = "E C + N d C"
    link_weight: Tensor

    def __init__(self, alpha: float | None = None) -> None:
        super().__init__(lam=1.0, tau=1.0)
        if alpha is not None:
            check_fractions("method", alpha=alpha)
        self.alpha = alpha

    def prepare(self, graph: Graph, teacher: TeacherOutput) -> Targets:
        """Returns raw features, edges in both directions, and the weights of labels at their ends.

        Raises:
            GraphKDError: no training node has an edge.
        """
        links = both_ways(graph.adj.structure())
        degree = links.sum(dim=1).double()
        classes, nodes = graph.y[graph.train], graph.train
        if not bool((degree[nodes] > 0).any()):
            raise GraphKDError(
                f"method={self.name} reads labels at the ends of edges, but no training node has an edge: use "
                "method=mlp, or a graph with edges"
            )
        weight = torch.zeros_like(degree)
        weight[nodes] = class_weights(classes, degree[nodes], graph.num_classes)[classes]
        weight *= 2 / (weight * degree).sum()
        is_labelled = torch.zeros_like(degree)
        is_labelled[nodes] = 1.0
        tables = {"end_weight": weight, "is_labelled": is_labelled}
        return Targets(graph.inputs, graph.y, weight * degree, tables=tables, edges=links)

    def build(self, make: Callable[[], nn.Module], targets: Targets, teacher: TeacherOutput) -> nn.Module:
        """Builds the student, and registers the second head and the weight of the distances."""
        student = make()
        last = probe_of(student, self.name)
        self.head = nn.Linear(last.in_features, last.out_features)
        self._dropout = float(student.dropout)  # type: ignore[arg-type]
        ends, labelled = _ends(targets)
        alpha = 1 - labelled / ends if self.alpha is None else self.alpha
        # Computed from the graph, again after a restart: no state of training.
        self.register_buffer("link_weight", torch.as_tensor(2 * alpha / ends), persistent=False)
        return student

    def training_step(self, student: Student, batch: Targets) -> dict[str, Tensor]:
        """Returns the loss, with terms ``label`` and ``links``."""
        output = student(batch.inputs)
        return self._terms(output, self._neighbour_logits(output), batch)

    def _neighbour_logits(self, output: StudentOutput) -> Tensor:
        """Computes ``s [m, C]``."""
        hidden = dropout(output.hidden[-1], self._dropout, self.training)
        return self.head(hidden)  # type: ignore[no-any-return]

    def _terms(self, output: StudentOutput, s: Tensor, batch: Targets) -> dict[str, Tensor]:
        """Returns the terms of the edges, and their sum as ``loss``."""
        assert batch.edges is not None
        y = batch.own_output(output).logits
        label = batch.label_loss(y) + batch.scale * label_loss(
            batch.edges, batch.tables["end_weight"], batch.labels, batch.labelled, s
        )
        distance = squared_distance(batch.edges, y, s) / y.shape[1]
        links = batch.scale * self.link_weight.to(y.dtype) * distance
        return {"loss": label + links, "label": label, "links": links}


class CoLinkDist(LinkDist):
    """``L_LinkDist − L_away + L_random``: LinkDist, contrasted with random pairs of nodes.

    Every end ``x`` of an edge gets a random other node ``n``, drawn in every step. ``L_away`` is the mean over
    edges of the sum over both ends of ``alpha / 2 [MSE(σ(y_x), σ(s_n)) + MSE(σ(y_n), σ(s_x))]``, ``σ`` being the
    softmax, plus ``β1`` times the label term of ``s`` with ``n`` in place of the neighbour. ``L_random`` is
    ``2 CE(y_n, Y_n) − 2 β2 CE(s_x, Y_n)`` of labelled ``n``, divided by their expected number.

    By default ``β1`` is the share of labelled nodes and ``β2`` that of labelled ends of edges, as published for 20
    labels per class. For 60 % labelled nodes ``beta = 0.1`` is published, divided between the two in the same
    proportion. What is subtracted has no bound: where most nodes are labelled, set ``beta``. Random nodes of a
    batch are its own rows. In the released code both ends of an edge share a random node, which may
    be one of them.

    Source: Luo et al., Distilling Self-Knowledge From Contrastive Links to Classify Graph Nodes Without Passing
        Messages (CoLinkDist), arXiv 2106.08541, 2021

    Args:
        alpha: weight of the distances, in [0, 1].
        beta: ``β1 + β2``, 0 or more; by default the sum of the two shares.

    >>> CoLinkDist(beta=0.1).has_teacher, CoLinkDist().live_edges
    (False, True)
    """

    name = "colinkdist"
    betas: Tensor
    random_weight: Tensor

    def __init__(self, alpha: float | None = None, beta: float | None = None) -> None:
        super().__init__(alpha)
        if beta is not None:
            check_sizes("method", beta=beta)
        self.beta = beta

    def build(self, make: Callable[[], nn.Module], targets: Targets, teacher: TeacherOutput) -> nn.Module:
        """Builds the student, and registers the weights of the random pairs beside those of the edges."""
        student = super().build(make, targets, teacher)
        ends, labelled = _ends(targets)
        nodes, known = targets.num_rows, targets.tables["is_labelled"].sum()
        shares = torch.stack([known / nodes, labelled / ends])
        betas = shares if self.beta is None else self.beta * shares / shares.sum()
        self.register_buffer("betas", betas, persistent=False)
        expected = (known * ends - labelled) / (nodes - 1)  # ends whose random node has a label: another one
        self.register_buffer("random_weight", 2 / expected, persistent=False)
        return student

    def training_step(self, student: Student, batch: Targets) -> dict[str, Tensor]:
        """Returns the loss, with terms ``label``, ``links``, ``away`` and ``random``."""
        output = student(batch.inputs)
        s = self._neighbour_logits(output)
        terms = self._terms(output, s, batch)
        y, s = batch.own_output(output).logits, s if batch.own is None else s.index_select(0, batch.own)
        away, random = self._random_terms(y, s, batch)
        return {**terms, "away": away, "random": random, "loss": terms["loss"] - away + random}

    def _random_terms(self, y: Tensor, s: Tensor, batch: Targets) -> tuple[Tensor, Tensor]:
        """Returns ``L_away`` and ``L_random`` of a draw; ``y`` and ``s`` are those of the batch's own rows."""
        assert batch.edges is not None
        links = random_links(batch.edges)
        beta1, beta2 = self.betas.to(y.dtype)
        p, q = F.softmax(y, dim=1), F.softmax(s, dim=1)
        distance = squared_distance(links, torch.cat([p, q], dim=1), torch.cat([q, p], dim=1)) / y.shape[1]
        labels = label_loss(links, batch.tables["end_weight"], batch.labels, batch.labelled, s)
        away = 0.5 * self.link_weight.to(y.dtype) * distance + beta1 * labels
        known = batch.tables["is_labelled"].to(y.dtype)
        one_hot = F.one_hot(batch.labels.clamp_min(0), y.shape[1]).to(y.dtype) * known.unsqueeze(1)
        times = (links.sum(dim=0).to(y.dtype) * known).unsqueeze(1)
        own = -(times * one_hot * batch.label_log_p(y)).sum()
        other = -(spmm(links, one_hot) * F.log_softmax(s, dim=1)).sum()
        random = self.random_weight.to(y.dtype) * (own - beta2 * other)
        return batch.scale * away, batch.scale * random


def class_weights(classes: Tensor, degree: Tensor, num_classes: int) -> Tensor:
    """Returns ``c_k ∝ n_k / e_k`` with a sum of ``C``, ``[C]`` float64; 0 for a class without labelled ends.

    Args:
        classes: of the ``n`` labelled nodes, ``[n]`` int64.
        degree: of these, ``[n]`` float64: ``e_k`` is its sum over class ``k``, ``n_k`` the number of its nodes.
        num_classes: ``C``.
    """
    nodes = torch.bincount(classes, minlength=num_classes).double()
    ends = torch.zeros_like(nodes).index_add_(0, classes, degree)
    ratio = torch.where(ends > 0, nodes / ends.clamp_min(1), 0.0)
    return num_classes * ratio / ratio.sum()


def _ends(targets: Targets) -> tuple[Tensor, Tensor]:
    """Returns the number of ends of edges, and of those with a label."""
    assert targets.edges is not None
    degree = targets.edges.sum(dim=1).double()
    return degree.sum(), (degree * targets.tables["is_labelled"]).sum()
