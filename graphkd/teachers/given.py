"""A teacher of the person's own: a fitted network, or what it said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from graphkd.errors import GraphKDError
from graphkd.sparse import Features
from graphkd.teachers.base import Teacher
from graphkd.teachers.output import TeacherOutput

if TYPE_CHECKING:
    from graphkd.datasets import Graph


def given_output(teacher: nn.Module | TeacherOutput, graph: Graph) -> TeacherOutput:
    """What a given teacher says of a graph.

    Args:
        teacher: an output, taken as it is; one of ``graphkd.teachers``, called with preprocessed features; or
            another network, called as PyG's are with ``(x, edge_index)``, and ``edge_weight`` where the graph
            has weights, on the features as they came.
        graph: whose nodes the rows are.

    Returns:
        ``logits [N, C]`` and hops where the teacher tells them.

    Raises:
        GraphKDError: the network fails on the graph, or its logits are not ``[N, C]`` finite numbers.
    """
    if isinstance(teacher, nn.Module):
        teacher = _call(teacher.to(graph.y.device), graph)
    logits, wanted = teacher.logits, (graph.num_nodes, graph.num_classes)
    if not isinstance(logits, Tensor) or logits.shape != wanted or not bool(logits.isfinite().all()):
        found = list(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise GraphKDError(
            f"the given teacher's logits must be finite numbers {list(wanted)}, one row per node and one column "
            f"per class, but are {found}: correct the teacher or the data"
        )
    if any(hop.shape[0] != graph.num_nodes for hop in teacher.hops):
        raise GraphKDError(f"the given teacher's hops must have {graph.num_nodes} rows, one per node")
    logits = logits.float().to(graph.y.device)
    return TeacherOutput(logits, [hop.float().to(graph.y.device) for hop in teacher.hops])


def _call(model: nn.Module, graph: Graph) -> TeacherOutput:
    mode = model.training
    try:
        said = model.eval()(graph.x, graph.adj) if isinstance(model, Teacher) else model.eval()(*_arguments(graph))
    except Exception as error:  # a person's network can fail in any way
        raise GraphKDError(
            f"the given teacher {type(model).__name__} failed when called with (x, edge_index): "
            f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        ) from error
    finally:
        model.train(mode)
    return said if isinstance(said, TeacherOutput) else TeacherOutput(said)


def _arguments(graph: Graph) -> list[Any]:
    x: Features = graph.x if graph.stored is None else graph.stored
    matrix = graph.adj.matrix
    edges = [torch.stack([matrix.col, matrix.row]), *([matrix.value] if graph.adj.weighted else [])]
    return [x if isinstance(x, Tensor) else x.to_dense(), *edges]
