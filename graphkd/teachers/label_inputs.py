"""Known labels as further inputs of a teacher."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.sparse import beside
from graphkd.teachers.output import TeacherOutput

if TYPE_CHECKING:
    from graphkd.datasets import Graph


def with_labels(graph: Graph, table: Tensor) -> Graph:
    """Returns the graph with features ``[x ‖ table]``.

    Args:
        graph: with features ``[N, D]``, dense or sparse.
        table: ``[N, C]``.
    """
    return replace(graph, x=beside(graph.x, table), stored=None)


def answer_with_labels(
    run: Callable[[Graph], TeacherOutput], reuse: int, graph: Graph, shown: Tensor | None = None
) -> TeacherOutput:
    """Computes a teacher's output on ``[x ‖ r]``, where ``r_v`` is what is known of the class of node ``v``.

    ``r_v`` is ``onehot(y_v)`` where the label is shown, elsewhere zeros. ``reuse`` times, ``r_v`` of all other
    nodes becomes ``softmax(z_v)`` of the output so far, and the output is computed again. Gradients flow through
    the last pass alone. Only labels that are shown are read.

    Source: Wang et al., Bag of Tricks for Node Classification with Graph Neural Networks, arXiv 2103.13355, 2021
        (label usage and label reuse)

    Args:
        run: graph, with ``D + C`` features → output.
        reuse: number of recursive assignments.
        graph: with ``D`` features.
        shown: ``[n]`` nodes whose label is shown; by default the training nodes.

    >>> from graphkd.testing.graphs import small_graph
    >>> graph = small_graph()
    >>> output = answer_with_labels(lambda given: TeacherOutput(given.x[:, -3:]), 0, graph)
    >>> torch.equal(output.logits[graph.train].argmax(dim=1), graph.y[graph.train]), int(output.logits.sum())
    (True, 21)
    """
    shown = graph.train if shown is None else shown
    known = F.one_hot(graph.y[shown], graph.num_classes).float()
    table = torch.zeros(graph.num_nodes, graph.num_classes, device=graph.y.device).index_copy_(0, shown, known)
    for _ in range(reuse):
        with torch.no_grad():
            logits = run(with_labels(graph, table)).logits
        table = logits.float().softmax(dim=1).index_copy_(0, shown, known)
    return run(with_labels(graph, table))
