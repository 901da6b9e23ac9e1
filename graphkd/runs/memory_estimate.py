"""How much memory and disk a run takes at least, from the sizes of its parts.

Everything here is a lower bound: what is left out (a norm's copies, temporaries of an optimiser, matched
layers) only adds. All numbers are bytes of float32, beyond the data that is loaded already.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass, replace
from typing import Any

import torch

from graphkd.datasets import Graph, SettingView
from graphkd.sparse import SparseMatrix
from graphkd.spec import DistillSpec, settings_of, unwrapped
from graphkd.teachers import GAT, Teacher

FLOAT = 4
BATCH = 4096
"""Rows of a step, as advice: enough for the products to be as fast as with more."""
NETWORK = "choose a smaller {0}.hidden_dim or {0}.num_layers"


@dataclass(frozen=True)
class Need:
    """What a stage takes.

    Args:
        size: bytes, at least.
        what: takes it, for the message.
        advice: what would need less.
    """

    size: int
    what: str
    advice: str


@dataclass(frozen=True)
class Shape:
    """The sizes of a network of ``L = layers + 1`` layers.

    Args:
        parameters: ``P``.
        layers: hidden layers, ``L − 1``.
        width: of each, ``h``.
        outputs: of the last one, ``C``.
        masked: whether dropout is on.
    """

    parameters: int
    layers: int
    width: int
    outputs: int
    masked: bool

    def training(self, rows: int) -> int:
        """One step on ``n`` rows: ``4 (4 P + n ((L − 1) s h + max(h, C) + C))``, or 20 P where that is more.

        A hidden layer's activation is kept for the backward pass, and where there is dropout its masked copy:
        ``s = 1`` or ``2``. When the backward pass begins, they meet the
        gradients of two layers, the weights, Adam's two moments and the weights of the best epoch; at its end
        the weights' gradients are there as well.
        """
        kept = self.layers * (8 if self.masked else 4) * self.width
        flowing = FLOAT * (max(self.width * bool(self.layers), self.outputs) + self.outputs)
        return max(4 * FLOAT * self.parameters + rows * (kept + flowing), 5 * FLOAT * self.parameters)

    def again(self, rows: int) -> int:
        """As ``training`` where a hidden layer's activation is all that is kept of it: ``s = 1``."""
        return replace(self, masked=False).training(rows)

    def output(self, rows: int) -> int:
        """All hops of ``n`` rows: ``4 n ((L − 1) h + C)``."""
        return FLOAT * rows * (self.layers * self.width + self.outputs)


def memory_needs(view: SettingView, spec: DistillSpec, in_files: bool = False) -> list[Need]:
    """What each stage takes at its peak; the run takes the largest.

    Args:
        view: the graph as the setting shows it.
        spec: parts of the user's own have no known needs and are left out.
        in_files: whether tables are in files, as with a memory budget.
    """
    graph, nodes = view.observed, view.observed.num_nodes
    sizes = {"num_features": graph.num_features, "num_classes": graph.num_classes}
    teacher, student = _teacher(spec, sizes), _student(spec, sizes)
    frozen, needs = 0, []
    if teacher is not None:
        whole = _in_one_piece(spec)
        advice = NETWORK.format("teacher") + (", or training.teacher_batches=neighbours" if whole else "")
        needs.append(Need(_step(graph, spec, teacher), "the teacher", advice))
        frozen = FLOAT * teacher.parameters + (0 if in_files and not whole else teacher.output(nodes))
    table, making = (0, 0) if in_files else _table(view, spec)
    if table:
        advice = "choose method.hops=0, or fewer features"
        needs.append(Need(frozen + table + making, "the student's propagated inputs", advice))
    rows = nodes if spec.uses_teacher else graph.train.numel()
    batch = min(rows, spec.training.batch_size or rows)
    step = student.training(batch)
    advice = NETWORK.format("student") + (f", or training.batch_size={BATCH}" if batch > BATCH else "")
    needs.append(Need(frozen + table + step, "the student", advice))
    return needs


def tables_size(view: SettingView, spec: DistillSpec, entry: int) -> int:
    """Bytes of a seed's tables where these are files: inputs, targets, and the output of a teacher in batches.

    Args:
        view: the graph as the setting shows it.
        spec: the parts.
        entry: bytes of a number of the inputs.
    """
    graph = view.observed
    teacher = _teacher(spec, {"num_features": graph.num_features, "num_classes": graph.num_classes})
    targets = FLOAT * graph.num_nodes * graph.num_classes if spec.uses_teacher else 0
    said = 0 if teacher is None or _in_one_piece(spec) else teacher.output(graph.num_nodes)
    return _table(view, spec)[0] * entry // FLOAT + targets + said


def drafts_size(view: SettingView, spec: DistillSpec) -> int:
    """Bytes of what tables in files are made from, gone once they are finished: for one table at a time.

    All hops before the last one, while there are no targets yet, or what the teacher says of every node in float64
    while the targets are made from it.
    """
    graph, hops = view.observed, spec.method.propagation().hops
    targets = FLOAT * graph.num_nodes * graph.num_classes if spec.method.folds_edges else 0
    earlier = FLOAT * graph.num_nodes * graph.num_features * (hops - 1) if _table(view, spec)[0] else 0
    return max(earlier - targets, 2 * targets)


def _in_one_piece(spec: DistillSpec) -> bool:
    """Whether the teacher says all it says at once, in memory."""
    return spec.training.teacher_batches in ("full", "checkpointed")


def weights_size(spec: DistillSpec, num_features: int, num_classes: int) -> tuple[int, int]:
    """Bytes of the teacher's weights, 0 where it is given or a user's own, and of the student's."""
    sizes = {"num_features": num_features, "num_classes": num_classes}
    teacher, student = _teacher(spec, sizes), _student(spec, sizes)
    return (FLOAT * teacher.parameters if teacher else 0), FLOAT * student.parameters


def shape_of(factory: Any, sizes: dict[str, int]) -> Shape:
    """The sizes of one of graphkd's networks; no weight is made.

    Args:
        factory: of the network.
        sizes: ``num_features`` and ``num_classes``.

    Raises:
        GraphKDError: a size that no network can have.
    """
    chosen = settings_of(factory)
    parameters = 0
    # More than can be counted, and arguments it does not have, are left to the dry run, which says so.
    with torch.random.fork_rng([]), torch.device("meta"), contextlib.suppress(RuntimeError, TypeError):
        parameters = sum(weight.numel() for weight in factory(**sizes).parameters())
    hidden, masked = chosen["num_layers"] - 1, chosen["dropout"] > 0
    return Shape(parameters, hidden, chosen["hidden_dim"], sizes["num_classes"], masked)


def _teacher(spec: DistillSpec, sizes: dict[str, int]) -> Shape | None:
    return shape_of(spec.teacher, sizes) if _is_ours(spec.teacher) else None


def _student(spec: DistillSpec, sizes: dict[str, int]) -> Shape:
    return shape_of(spec.student, {**sizes, "num_features": spec.method.input_width(sizes["num_features"])})


def _is_ours(factory: Any) -> bool:
    made = unwrapped(factory)
    return isinstance(made, type) and issubclass(made, Teacher) and made.__module__.startswith("graphkd.")


def _step(graph: Graph, spec: DistillSpec, shape: Shape) -> int:
    """One step of the teacher: on all nodes, or on those that its batches have at least.

    A hidden layer of a drawn neighbourhood has the batch's rows and more; a part is of the mean size or larger.
    """
    training, nodes, edges = spec.training, graph.num_nodes, graph.adj.matrix.nnz
    if training.teacher_batches == "full":
        return shape.training(nodes) + _attention(spec, shape, nodes, edges)
    if training.teacher_batches == "checkpointed":  # the last layer is the first to be made again, with all kept
        return shape.again(nodes) + _attention(spec, replace(shape, layers=0), nodes, edges)
    rows = min(training.teacher_batch_size, graph.train.numel())
    if training.teacher_batches == "partitions":
        rows = nodes // math.ceil(training.parts / training.parts_per_step)
    return shape.training(rows) + _attention(spec, shape, rows, 0)


def _attention(spec: DistillSpec, shape: Shape, nodes: int, edges: int) -> int:
    """What GAT keeps besides, ``e`` edges with loops: ``4 (L e s H + n ((L − 1) h + H C))`` for ``H`` heads.

    Each layer keeps scores, their softmax and, where there is dropout on it, what is left of it: ``s = 2`` or
    3. A hidden layer keeps its projected rows, the last one those of all heads.
    """
    if unwrapped(spec.teacher) is not GAT:
        return 0
    chosen = settings_of(spec.teacher)
    per_edge = 3 if chosen["attention_dropout"] > 0 else 2
    scores = (shape.layers + 1) * (edges + nodes) * per_edge * chosen["heads"]
    projected = nodes * (shape.layers * shape.width + chosen["heads"] * shape.outputs)
    return int(FLOAT * (scores + projected))


def _table(view: SettingView, spec: DistillSpec) -> tuple[int, int]:
    """Bytes of propagated inputs ``[n, D']``, and of the powers ``[n, D]`` beside them while they are made.

    Of sparse features mean and concatenation are kept as factors, or small; the largest and the smallest are not.
    """
    x, inputs = view.observed.x, spec.method.propagation()
    if inputs.hops == 0 or (isinstance(x, SparseMatrix) and inputs.pooling in ("mean", "concat")):
        return 0, 0
    row = FLOAT * x.shape[0]
    return row * inputs.width(x.shape[1]), row * x.shape[1] * min(inputs.hops, 2)
