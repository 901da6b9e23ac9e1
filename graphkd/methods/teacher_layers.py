"""A teacher's layers as feature transformations and graph propagations."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from graphkd.datasets import Graph
from graphkd.errors import GraphKDError
from graphkd.sparse import Adjacency, Features, as_features, linear, spmm
from graphkd.teachers import GAT, GCN, SAGE, Teacher
from graphkd.teachers.gat import GATLayer
from graphkd.teachers.gcn import GCNLayer
from graphkd.teachers.sage import SAGELayer


@dataclass(frozen=True)
class TeacherLayer:
    """A graph convolution as a feature transformation ``h W^T + b`` and a propagation.

    ``W`` and ``b`` are those of the convolution where every neighbour has the node's own row: of a SAGE with
    ``aggregator=mean`` the sum of its two weights, of a GAT whose heads are averaged their mean.

    Args:
        conv: the convolution.
        weight: ``W [d_out, d_in]``.
        bias: ``b [d_out]``, or None.
        propagates_first: whether the propagation comes first: where ``d_in ≤ d_out`` and the convolution is a
            product of one operator and one weight, as DGL executes it.
    """

    conv: nn.Module
    weight: Tensor
    bias: Tensor | None
    propagates_first: bool

    def between(self, h: Features, adj: Adjacency) -> Tensor:
        """Returns what is between the two, ``[N, d_in]`` or ``[N, d_out]``."""
        if not self.propagates_first:
            return linear(h, self.weight, self.bias)
        loops = self.conv.self_loops if isinstance(self.conv, SAGELayer) else 1
        operator = adj.normalize("row" if isinstance(self.conv, SAGELayer) else "symmetric", loops, h.dtype)
        return spmm(operator, h if isinstance(h, Tensor) else h.to_dense())


def teacher_layers(teacher: nn.Module | None, method: str) -> list[TeacherLayer]:
    """Returns the layers of a teacher, first to last.

    Args:
        teacher: the network.
        method: name of the method, for the message.

    Raises:
        GraphKDError: it is none of ``sage``, ``gcn`` and ``gat``, or has jumping knowledge.
    """
    if not isinstance(teacher, SAGE | GCN | GAT):
        kind = "its logits alone" if teacher is None else type(teacher).__name__
        raise GraphKDError(
            f"method={method} copies the linear layers of its teacher, and was given {kind}: "
            "choose teacher=sage, gcn or gat"
        )
    if teacher.readout is not None:
        raise GraphKDError(
            f"method={method} copies a teacher's layers one after the other, and the last of this one reads all "
            "others: use teacher.jumping_knowledge=none"
        )
    return [_layer(conv) for conv in teacher.convs]


def operations_of(layers: list[TeacherLayer]) -> list[TeacherLayer | None]:
    """Returns the operations in order: a layer stands for its transformation, None for its propagation."""
    return [part for layer in layers for part in ((None, layer) if layer.propagates_first else (layer, None))]


def widths_of(layers: list[TeacherLayer], width: int) -> list[int]:
    """Returns the width after each operation on rows of a width that may exceed the teacher's features."""
    widths: list[int] = []
    for layer in layers:
        out = layer.weight.shape[0]
        widths += [width if layer.propagates_first else out, out]
        width = out
    return widths


def layer_tables(
    teacher: nn.Module | None, graph: Graph, method: str
) -> Iterator[tuple[Features, Tensor, Tensor]]:
    """Yields the input of each layer, what is between its two parts, and its result, on all nodes.

    Args:
        teacher: one of ``sage``, ``gcn`` and ``gat``; computed in evaluation mode.
        graph: whose ``x`` it reads.
        method: name of the method, for the message.

    Raises:
        GraphKDError: it is another teacher.
    """
    layers = teacher_layers(teacher, method)
    assert isinstance(teacher, Teacher)
    teacher = copy.deepcopy(teacher).eval()  # a user's network keeps its modes
    last: Features = as_features(graph.x)
    first: Tensor | None = None
    for k, layer in enumerate(layers):
        yield last, layer.between(last, graph.adj), layer.conv(last, graph.adj)
        if k + 1 < len(layers):
            result = teacher.hop(k, graph.adj, last, first)[1]
            last, first = result, result if first is None else first


def _layer(conv: nn.Module) -> TeacherLayer:
    if isinstance(conv, GATLayer):
        weight = conv.linear.weight
        if not conv.concat:
            weight = weight.view(*conv.att_src.shape, -1).mean(dim=0)
        return TeacherLayer(conv, weight.detach(), _detached(conv.bias), False)
    if isinstance(conv, SAGELayer) and conv.lin_self is not None:
        weight = conv.lin_neigh.weight + conv.lin_self.weight
        return TeacherLayer(conv, weight.detach(), _detached(conv.lin_neigh.bias), False)
    map_ = conv.lin_neigh if isinstance(conv, SAGELayer) else conv.linear
    assert isinstance(conv, SAGELayer | GCNLayer)
    assert isinstance(map_, nn.Linear)
    first = map_.in_features <= map_.out_features
    return TeacherLayer(conv, map_.weight.detach(), _detached(map_.bias), first)


def _detached(bias: Tensor | None) -> Tensor | None:
    return None if bias is None else bias.detach()


@torch.no_grad()
def inject(layer: nn.Linear, source: TeacherLayer) -> None:
    """Copies a layer's weights into the first columns of a linear layer, and its bias where both have one."""
    layer.weight[:, : source.weight.shape[1]] = source.weight
    if layer.bias is not None:
        layer.bias.copy_(source.bias if source.bias is not None else torch.zeros_like(layer.bias))
