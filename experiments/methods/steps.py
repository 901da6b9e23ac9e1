"""Steps of every method as functions that can be timed, with the sizes that their formulas count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from protocol import MODELS  # experiments/methods/protocol.py
from work import Sizes  # experiments/methods/work.py

from graphkd.datasets import Graph, SettingView
from graphkd.datasets.setting import apply_setting
from graphkd.methods import Epoch, Phase, Targets
from graphkd.methods.vqgraph import CODEBOOK
from graphkd.sparse import Factored, SparseMatrix
from graphkd.spec import DistillSpec
from graphkd.testing.graphs import small_graph
from graphkd.training.fit.task import DistillationTask
from graphkd.training.fit.train_state import Log
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.student import start_task
from graphkd.training.stages.targets import compile_targets
from graphkd.training.stages.teacher import TeacherResult, train_teacher

Run = Callable[[], object]


@dataclass(frozen=True)
class Contender:
    """Steps that are timed.

    Args:
        run: takes so many steps.
        sizes: of its formula, or None without one.
        name: of the method.
    """

    run: Run
    sizes: Sizes | None
    name: str


def contenders_of(specs: dict[str, DistillSpec], view: SettingView, steps: int) -> dict[str, Contender]:
    """Returns what is timed, by name: so many steps of each method, and what KRD and HGMD do before an epoch."""
    glnn = specs["glnn"]
    short = replace(glnn, training=replace(glnn.training, max_epochs=20))
    contenders: dict[str, Contender] = {}
    with TemporaryDirectory() as folder:
        cache = StageCache(Path(folder))
        teacher = train_teacher(view, short, 0, Log(), cache)
        for name in (name for name in MODELS if name in specs and name != "mlp_neighbours"):
            targets = compile_targets(view, specs[name], teacher, 0, cache)
            for k, phase in enumerate(specs[name].method.phases()):
                if name == "cohop" and k > 0:
                    break  # all of its rounds make the same steps
                step = stepper(view.observed, specs[name], targets, teacher, phase, steps)
                sizes = sizes_of(view.observed, specs[name], targets, teacher, k)
                contenders[f"{name}, {phase.name}" if phase.name else name] = Contender(step, sizes, name)
            if name in ("krd", "hgmd"):
                start = starter(view.observed, specs[name], targets, teacher)
                contenders[f"{name}, before an epoch"] = Contender(start, None, name)
    return contenders


def stepper(
    graph: Graph, spec: DistillSpec, targets: Targets, teacher: TeacherResult, phase: Phase, steps: int
) -> Run:
    """Returns a function that takes so many steps on all rows, each with its backward pass and Adam."""
    task = task_of(graph, spec, targets, teacher)
    task.phase = phase
    rows = task.training_rows(targets)
    optimizer = torch.optim.Adam(task.parameter_groups(spec.training.lr), fused=True)

    def run() -> None:
        task.train()
        for _ in range(steps):
            task(rows)["loss"].backward()
            optimizer.step()
            optimizer.zero_grad()

    return run


def starter(graph: Graph, spec: DistillSpec, targets: Targets, teacher: TeacherResult) -> Run:
    """Returns what a method does before an epoch, of which the student's forward pass is a part."""
    task = task_of(graph, spec, targets, teacher)

    def logits() -> torch.Tensor:
        task.eval()
        with torch.no_grad():
            return task.student(targets.inputs).logits  # type: ignore[no-any-return]

    return partial(task.on_epoch_start, Epoch(100, 500, 0, graph.y.device, logits), targets)


def task_of(graph: Graph, spec: DistillSpec, targets: Targets, teacher: TeacherResult) -> DistillationTask:
    """Returns a student at its start, drawn from seed 0."""
    torch.manual_seed(0)
    return start_task(graph, spec, targets, 0, teacher.answering)


def sizes_of(graph: Graph, spec: DistillSpec, targets: Targets, teacher: TeacherResult, phase: int) -> Sizes:
    """Returns what a method's formula counts."""
    x, student = targets.inputs, spec.student.keywords  # type: ignore[attr-defined]
    if isinstance(x, Factored):
        entries = x.x.nnz + x.hops * x.operator.nnz
    else:
        entries = x.nnz if isinstance(x, SparseMatrix) else x.numel()
    return Sizes(
        n=graph.num_nodes,
        e=graph.adj.structure(self_loops=0).nnz,
        columns=x.shape[1],
        entries=entries,
        classes=graph.num_classes,
        d=student["hidden_dim"],
        labelled=graph.train.numel(),
        dense=isinstance(x, torch.Tensor),
        drops=student["dropout"] > 0,
        norm=student["norm"] != "none",
        codes=teacher.answering.constants[CODEBOOK].shape[0] if CODEBOOK in teacher.answering.constants else 0,
        method=spec.method,
        phase=phase,
    )


def tiny(graph: Graph) -> SettingView:
    """Returns a graph whose tables take no time, so that a step on it takes that of its calls."""
    small = small_graph(num_nodes=24)
    if isinstance(graph.x, SparseMatrix):
        assert isinstance(small.x, torch.Tensor)
        small = replace(small, x=SparseMatrix.from_torch(small.x.to_sparse_csr()))
    return apply_setting(replace(small, influence=None), "transductive", 0)


def narrow(spec: DistillSpec) -> DistillSpec:
    """Returns the same with few hidden units and codes."""

    def shrunk(factory: object) -> object:
        few = {"hidden_dim": 8, "codes": 8}
        keys = factory.keywords  # type: ignore[attr-defined]
        return partial(factory.func, **{key: few.get(key, value) for key, value in keys.items()})  # type: ignore[attr-defined]

    return replace(spec, student=shrunk(spec.student), teacher=shrunk(spec.teacher))  # type: ignore[arg-type]
