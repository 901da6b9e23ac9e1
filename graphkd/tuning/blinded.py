"""The graph that a search sees: without the labels of test nodes."""

from __future__ import annotations

from dataclasses import replace

import torch

from graphkd.datasets import Graph


def blinded(graph: Graph) -> Graph:
    """Returns the graph with the labels of training and validation nodes alone.

    Other labels are unknown, and those of test nodes made up: the classes in turn, of other tasks the training
    nodes' labels in turn. What the stages compute as test scores is therefore noise, and nothing that reads this
    graph can select on test labels. The graph's metric is accuracy, or another one that is defined for any labels
    of its task; validation scores of other metrics have names of their own.

    Args:
        graph: checked data with a split.

    >>> from graphkd.testing.graphs import small_graph
    >>> graph = small_graph()
    >>> hidden = blinded(graph)
    >>> bool((hidden.y[graph.val] == graph.y[graph.val]).all()), hidden.y[graph.test].tolist()[:4]
    (True, [0, 1, 2, 0])
    """
    labels = torch.full_like(graph.y, -1 if graph.task.one_class else torch.nan)
    for part in (graph.train, graph.val):
        labels[part] = graph.y[part]
    turn = torch.arange(graph.test.numel(), device=labels.device)
    if graph.task.one_class:
        labels[graph.test] = turn % graph.num_classes
    else:
        labels[graph.test] = graph.y[graph.train[turn % graph.train.numel()]]
    return replace(graph, y=labels, metric=graph.task.fallback_metric)
