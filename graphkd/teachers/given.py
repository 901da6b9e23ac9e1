"""A user's teacher: a fitted network, or its output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from graphkd.errors import GraphKDError
from graphkd.sparse import Features
from graphkd.sparse.propagate import TABLE_BYTES
from graphkd.tasks.units import InUnits, with_logits
from graphkd.teachers.base import Teacher
from graphkd.teachers.output import TeacherOutput

if TYPE_CHECKING:
    from graphkd.datasets import Graph


def given_output(teacher: nn.Module | TeacherOutput, graph: Graph) -> TeacherOutput:
    """Computes a given teacher's output on a graph.

    Args:
        teacher: an output, used unchanged but for the unit of numbers; one of ``graphkd.teachers``, also in
            ``InUnits``, called with preprocessed features; or another network, called as PyG's are with
            ``(x, edge_index)``, and ``edge_weight`` where the graph has weights, on the features before
            preprocessing: dense, or sparse CSR where dense ones exceed 512 MiB.
        graph: the graph, whose nodes are the rows.

    Returns:
        ``logits [N, C]``, and hops where the teacher returns them. Numbers to predict, which a given teacher has
        in the user's units, are standardised as those of a trained one.

    Raises:
        GraphKDError: the network fails on the graph, or its logits are not ``[N, C]`` finite numbers.
    """
    standardised = isinstance(teacher, nn.Module) and graph.task.trained_with(teacher)
    if isinstance(teacher, nn.Module):
        teacher = _call(teacher.to(graph.y.device), graph, standardised)
    shape, device = [graph.num_nodes, graph.num_classes], graph.y.device
    logits = _finite(teacher.logits, graph.num_nodes)
    if logits is None or logits.shape[1] != graph.num_classes:
        raise GraphKDError(
            f"the given teacher's logits must be finite numbers {shape}, one row per node and one column "
            f"per class, but are {_described(teacher.logits)}: correct the teacher or the data"
        )
    hops: list[Tensor] = []
    for hop in teacher.hops if isinstance(teacher.hops, list | tuple) else [teacher.hops]:
        table = _finite(hop, graph.num_nodes)
        if table is None:
            raise GraphKDError(
                f"the given teacher's hops must be a list of finite numbers [{graph.num_nodes}, d], but one is "
                f"{_described(hop)}: correct them, or give the logits alone"
            )
        hops.append(table.to(device))
    if hops and not torch.equal(hops[-1], logits.to(device)):
        raise GraphKDError(
            "the given teacher's last hop must be its logits, the others are what layers are matched to: "
            "append the logits to the hops"
        )
    extras, constants = (
        {name: table.to(device) for name, table in tables.items()}
        for tables in (teacher.extras, teacher.constants)
    )
    if not standardised:
        given = teacher.logits.to(device)  # in float64 where it is: a mean may be much larger than a deviation
        logits = graph.task.naturals(given if given.dtype == torch.float64 else given.float()).float()
    return with_logits(TeacherOutput(logits.to(device), hops, extras, constants), logits.to(device))


def _finite(part: Any, rows: int) -> Tensor | None:
    """Converts a dense table ``[rows, d]`` of finite numbers to float32; returns None for anything else."""
    if not isinstance(part, Tensor) or part.layout != torch.strided or part.is_complex():
        return None
    part = part.float()
    return part if part.dim() == 2 and part.shape[0] == rows and bool(part.isfinite().all()) else None


def _described(part: Any) -> str:
    return f"{list(part.shape)} in {part.dtype}" if isinstance(part, Tensor) else type(part).__name__


def _call(model: nn.Module, graph: Graph, standardised: bool = False) -> TeacherOutput:
    """Calls a network; one of ``InUnits`` without the units where they are those of the graph."""
    takes_rows = isinstance(model, Teacher | InUnits)
    model = model.network if standardised and isinstance(model, InUnits) else model
    modes = [(part, part.training) for part in model.modules()]
    try:
        output = model.eval()(graph.x, graph.adj) if takes_rows else model.eval()(*_arguments(graph))
    except Exception as error:  # a user's network can fail in any way
        raise GraphKDError(
            f"the given teacher {type(model).__name__} failed when called with (x, edge_index): "
            f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}: it gets "
            "x [N, D] in float32 and edge_index [2, E], with weights also edge_weight [E]"
        ) from error
    finally:
        for part, mode in modes:
            part.training = mode
    return output if isinstance(output, TeacherOutput) else TeacherOutput(output)


def _arguments(graph: Graph) -> list[Any]:
    x: Features = graph.x if graph.stored is None else graph.stored
    matrix = graph.adj.matrix
    edges = [torch.stack([matrix.col, matrix.row]), *([matrix.value.clone()] if graph.adj.weighted else [])]
    # Copies: a user's network may change its inputs in place. A table too large for a dense copy stays sparse.
    table = x if isinstance(x, Tensor) or 4 * x.shape[0] * x.shape[1] > TABLE_BYTES else x.to_dense()
    return [table.clone() if isinstance(table, Tensor) else table.torch().clone(), *edges]
