"""The graph that a search sees: without the labels of test nodes."""

from __future__ import annotations

from dataclasses import replace

import torch

from graphkd.datasets import Graph


def blinded(graph: Graph) -> Graph:
    """Returns the graph with the labels of training and validation nodes alone.

    Other labels are unknown, and those of test nodes made up: the classes in turn. What the stages compute as test
    scores is therefore noise, and nothing that reads this graph can select on test labels. The graph's metric is
    accuracy, which is defined for any labels; validation scores of another one have names of their own.

    Args:
        graph: checked data with a split.

    >>> from graphkd.testing.graphs import small_graph
    >>> graph = small_graph()
    >>> hidden = blinded(graph)
    >>> bool((hidden.y[graph.val] == graph.y[graph.val]).all()), hidden.y[graph.test].tolist()[:4]
    (True, [0, 1, 2, 0])
    """
    labels = torch.full_like(graph.y, -1)
    for part in (graph.train, graph.val):
        labels[part] = graph.y[part]
    labels[graph.test] = torch.arange(graph.test.numel(), device=labels.device) % graph.num_classes
    return replace(graph, y=labels, metric="accuracy")
