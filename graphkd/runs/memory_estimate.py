"""Lower bounds on the memory and disk of a run, from the sizes of its parts.

What is left out (a norm's copies, temporaries of an optimiser, matched layers) would only add. All numbers are
bytes of float32, beyond the data that is already loaded.
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
from graphkd.teachers import GAT, PyG, Teacher

FLOAT = 4
BATCH = 4096
"""Advised batch size: larger ones do not make matrix products faster."""
NETWORK = "choose a smaller {0}.hidden_dim or {0}.num_layers"


@dataclass(frozen=True)
class Need:
    """Memory required by a stage.

    Args:
        size: bytes, at least.
        what: the stage, for the message.
        advice: settings that would need less.
    """

    size: int
    what: str
    advice: str


@dataclass(frozen=True)
class Shape:
    """Sizes of a network of ``L = layers + 1`` layers.

    Args:
        parameters: ``P``.
        layers: hidden layers, ``L − 1``.
        width: of each, ``h``.
        outputs: of the last one, ``C``.
        masked: whether dropout is applied.
    """

    parameters: int
    layers: int
    width: int
    outputs: int
    masked: bool

    def training(self, rows: int) -> int:
        """Returns bytes of a step on ``n`` rows: ``4 (4 P + n ((L − 1) s h + max(h, C) + C))``, at least 20 P.

        A hidden layer's activation is saved for the backward pass, and with dropout its masked copy as well:
        ``s = 1`` or ``2``. At the start of the backward pass these coexist with the gradients of two layers, the
        weights, Adam's two moments and the weights of the best epoch; at its end, the weights' gradients are
        allocated as well.
        """
        saved = self.layers * (8 if self.masked else 4) * self.width
        gradients = FLOAT * (max(self.width * bool(self.layers), self.outputs) + self.outputs)
        return max(4 * FLOAT * self.parameters + rows * (saved + gradients), 5 * FLOAT * self.parameters)

    def again(self, rows: int) -> int:
        """Returns ``training`` where only the activation of a hidden layer is saved: ``s = 1``."""
        return replace(self, masked=False).training(rows)

    def output(self, rows: int) -> int:
        """Returns bytes of all hops of ``n`` rows: ``4 n ((L − 1) h + C)``."""
        return FLOAT * rows * (self.layers * self.width + self.outputs)


def memory_needs(view: SettingView, spec: DistillSpec, in_files: bool = False) -> list[Need]:
    """Computes the peak memory of each stage; the run needs the largest.

    Args:
        view: the graph as visible in the setting.
        spec: custom parts have unknown needs and are left out.
        in_files: whether tables are in files, as with a memory budget.
    """
    graph, nodes = view.observed, view.observed.num_nodes
    sizes = {"num_features": spec.seen_features(graph.num_features), "num_classes": graph.num_classes}
    teacher, student = _teacher(spec, sizes), _student(spec, {**sizes, "num_features": graph.num_features})
    frozen, needs = 0, []
    if teacher is not None:
        whole = _in_one_piece(spec)
        advice = NETWORK.format("teacher") + (", or training.teacher_batches=neighbours" if whole else "")
        needs.append(Need(_step(graph, spec, teacher), "the teacher", advice))
        frozen = FLOAT * teacher.parameters + (0 if in_files and not whole else teacher.output(nodes))
    table, building = (0, 0) if in_files else _table(view, spec)
    if table:
        advice = "choose encoder=raw, or fewer features"
        needs.append(Need(frozen + table + building, "the student's encoded inputs", advice))
    rows = nodes if spec.uses_teacher or spec.terms() else graph.train.numel()
    batch = min(rows, spec.training.batch_size or rows)
    step = student.training(batch)
    advice = NETWORK.format("student") + (f", or training.batch_size={BATCH}" if batch > BATCH else "")
    needs.append(Need(frozen + table + step, "the student", advice))
    return needs


def tables_size(view: SettingView, spec: DistillSpec, entry: int) -> int:
    """Computes bytes of a seed's tables in files: inputs, targets, and outputs of a teacher evaluated in batches.

    Args:
        view: the graph as visible in the setting.
        spec: the parts.
        entry: bytes of an entry of the inputs.
    """
    graph = view.observed
    seen = spec.seen_features(graph.num_features)
    teacher = _teacher(spec, {"num_features": seen, "num_classes": graph.num_classes})
    targets = FLOAT * graph.num_nodes * graph.num_classes if spec.uses_teacher else 0
    outputs = 0 if teacher is None or _in_one_piece(spec) else teacher.output(graph.num_nodes)
    return _table(view, spec)[0] * entry // FLOAT + targets + outputs


def drafts_size(view: SettingView, spec: DistillSpec) -> int:
    """Computes bytes of the temporary files from which tables are built, one table at a time.

    Either all hops before the last one, while there are no targets yet, or the teacher's output on every node in
    float64, while the targets are computed from it.
    """
    graph, propagation = view.observed, spec.inputs.propagation
    hops = 0 if propagation is None else propagation.hops
    targets = FLOAT * graph.num_nodes * graph.num_classes if spec.method.folds_edges else 0
    earlier = FLOAT * graph.num_nodes * graph.num_features * (hops - 1) if _table(view, spec)[0] else 0
    return max(earlier - targets, 2 * targets)


def _in_one_piece(spec: DistillSpec) -> bool:
    """Returns whether the teacher's output on all nodes is computed at once, in memory."""
    return spec.training.teacher_batches in ("full", "checkpointed")


def weights_size(spec: DistillSpec, num_features: int, num_classes: int) -> tuple[int, int]:
    """Computes bytes of the teacher's weights, 0 for a fitted or custom one, and of the student's."""
    sizes = {"num_features": num_features, "num_classes": num_classes}
    seen = {**sizes, "num_features": spec.seen_features(num_features)}
    teacher, student = _teacher(spec, seen), _student(spec, sizes)
    return (FLOAT * teacher.parameters if teacher else 0), FLOAT * student.parameters


def shape_of(factory: Any, sizes: dict[str, int]) -> Shape:
    """Computes the sizes of one of graphkd's networks, without allocating weights.

    Args:
        factory: of the network.
        sizes: ``num_features`` and ``num_classes``.

    Raises:
        GraphKDError: a size is invalid.
    """
    settings = settings_of(factory)
    parameters = 0
    # Overflowing sizes and unknown arguments are reported by the dry run.
    with torch.random.fork_rng([]), torch.device("meta"), contextlib.suppress(RuntimeError, TypeError):
        parameters = sum(weight.numel() for weight in factory(**sizes).parameters())
    hidden, masked = settings["num_layers"] - 1, settings.get("dropout", 0.0) > 0
    width = settings.get("hidden_dim", sizes["num_classes"])
    return Shape(parameters, hidden, width, sizes["num_classes"], masked)


def _teacher(spec: DistillSpec, sizes: dict[str, int]) -> Shape | None:
    return shape_of(spec.teacher, sizes) if spec.uses_teacher and _is_ours(spec.teacher) else None


def _student(spec: DistillSpec, sizes: dict[str, int]) -> Shape:
    width = spec.inputs.width(sizes["num_features"], sizes["num_classes"])
    return shape_of(spec.student, {**sizes, "num_features": width})


def _is_ours(factory: Any) -> bool:
    part = unwrapped(factory)
    if part is PyG:  # a network of its own, which may not read the sizes
        return False
    return isinstance(part, type) and issubclass(part, Teacher) and part.__module__.startswith("graphkd.")


def _step(graph: Graph, spec: DistillSpec, shape: Shape) -> int:
    """Computes bytes of one step of the teacher: on all nodes, or on the least number of nodes in its batches.

    A hidden layer of a sampled neighbourhood has at least the batch's rows; the largest partition at least the
    mean size.
    """
    training, nodes, edges = spec.training, graph.num_nodes, graph.adj.matrix.nnz
    if training.teacher_batches == "full":
        return shape.training(nodes) + _attention(spec, shape, nodes, edges)
    if training.teacher_batches == "checkpointed":  # the last layer is recomputed first, with all its activations
        return shape.again(nodes) + _attention(spec, replace(shape, layers=0), nodes, edges)
    rows = min(training.teacher_batch_size, graph.train.numel())
    if training.teacher_batches == "partitions":
        rows = nodes // math.ceil(training.parts / training.parts_per_step)
    return shape.training(rows) + _attention(spec, shape, rows, 0)


def _attention(spec: DistillSpec, shape: Shape, nodes: int, edges: int) -> int:
    """Computes GAT's extra bytes, ``e`` edges with loops: ``4 (L e s H + n ((L − 1) h + H C))`` for ``H`` heads.

    Each layer saves scores, their softmax and, with attention dropout, its masked copy: ``s = 2`` or 3. A hidden
    layer saves its projected rows, the last one those of all heads.
    """
    if unwrapped(spec.teacher) is not GAT:
        return 0
    settings = settings_of(spec.teacher)
    per_edge = 3 if settings["attention_dropout"] > 0 else 2
    scores = (shape.layers + 1) * (edges + nodes) * per_edge * settings["heads"]
    projected = nodes * (shape.layers * shape.width + settings["heads"] * shape.outputs)
    return int(FLOAT * (scores + projected))


def _table(view: SettingView, spec: DistillSpec) -> tuple[int, int]:
    """Computes bytes of encoded inputs ``[n, D']``, and of the powers ``[n, D]`` needed to compute them.

    Of sparse features, mean and concatenation are stored as factors, or are small; max and min are dense. What
    stands beside the features is counted once more.
    """
    x, propagation = view.observed.x, spec.inputs.propagation
    row = FLOAT * x.shape[0]
    extra = row * spec.inputs.extra(view.observed.num_classes)
    if propagation is None or propagation.hops == 0:
        return extra, 0
    if isinstance(x, SparseMatrix) and propagation.pooling in ("mean", "concat"):
        return extra, 0
    return extra + row * propagation.width(x.shape[1]), row * x.shape[1] * min(propagation.hops, 2)
