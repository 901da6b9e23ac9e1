"""What a step of each method costs, against a step of GLNN and its own formula; see README.md beside this file.

python experiments/methods/cost.py --data-dir data [--cell cpf_cora] [--rounds 6]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent))
from cells import view_of  # experiments/cells.py
from costs_of import FORMULAS, LINE, Sizes, Work  # experiments/methods/costs_of.py
from protocol import CELLS, MODELS  # experiments/methods/protocol.py
from timing import machine  # experiments/timing.py

from graphkd.config import composed
from graphkd.datasets import Graph, SettingView
from graphkd.datasets.setting import apply_setting
from graphkd.methods import Epoch, Phase, Targets
from graphkd.methods.vqgraph import CODEBOOK
from graphkd.sparse import Factored, SparseMatrix, spmm
from graphkd.spec import DistillSpec
from graphkd.testing.graphs import small_graph
from graphkd.training.device.malloc import keep_freed_memory
from graphkd.training.fit.loop import Log
from graphkd.training.fit.task import DistillationTask
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.student import start_task
from graphkd.training.stages.targets import compile_targets
from graphkd.training.stages.teacher import TeacherResult, train_teacher

MOST = 1.5
"""Largest measured time, in terms of the predicted one."""

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


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--cell", default="cpf_cora", choices=list(CELLS))
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--steps", type=int, default=2, help="of each method in a round")
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    cell = CELLS[args.cell]()
    specs, view = cell.specs(), view_of(composed(cell.configs["glnn"]), 0, args.data_dir)
    with keep_freed_memory():
        contenders = contenders_of(specs, view, args.steps)
        smallest = contenders_of(
            {name: narrow(spec) for name, spec in specs.items()}, tiny(view.observed), args.steps
        )
        sizes = contenders["glnn"].sizes
        assert sizes is not None
        units = units_of(view.observed, sizes)
        runs = {("step", name): contender.run for name, contender in contenders.items()}
        runs |= {("calls", name): contender.run for name, contender in smallest.items()}
        runs |= {("unit", name): run for name, (run, _) in units.items()}
        seconds = fastest(runs, args.rounds)
    rates = {name: seconds["unit", name] / count for name, (_, count) in units.items()}
    table, slow = to_markdown(contenders, seconds, rates, args.steps)
    print(table)
    print(machine())
    if slow:
        raise SystemExit(f"above {MOST} times the predicted time: {', '.join(slow)}")


def fastest(runs: dict[tuple[str, str], Run], rounds: int) -> dict[tuple[str, str], float]:
    """Returns each run's least processor time in seconds: all runs in every round, after one that does not count.

    Processor time, since the machine may be shared; what runs has one thread.
    """
    least = dict.fromkeys(runs, float("inf"))
    for round_ in range(rounds + 1):
        for name, run in runs.items():
            start = time.process_time()
            run()
            if round_:
                least[name] = min(least[name], time.process_time() - start)
    return least


def contenders_of(specs: dict[str, DistillSpec], view: SettingView, steps: int) -> dict[str, Contender]:
    """Returns what is timed, by name: so many steps of each method, and what KRD and HGMD do before an epoch."""
    glnn = specs["glnn"]
    short = replace(glnn, training=replace(glnn.training, max_epochs=20))
    contenders: dict[str, Contender] = {}
    with TemporaryDirectory() as folder:
        cache = StageCache(Path(folder))
        teacher = train_teacher(view, short, 0, Log(), cache)
        for name in (name for name in MODELS if name in specs):
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


def units_of(graph: Graph, s: Sizes) -> dict[str, tuple[Run, float]]:
    """Returns plain operations of these sizes and how much each counts, by the kind of work."""
    x, weight = torch.rand(s.n, s.columns), torch.rand(s.d, s.columns)
    hidden, output = torch.rand(s.n, s.d), torch.rand(s.classes, s.d)
    pattern = graph.x if isinstance(graph.x, SparseMatrix) else graph.adj.normalize("row")
    rows, logits = torch.rand(pattern.shape[1], s.d), torch.rand(s.n, s.classes)
    return {
        "dense": (
            lambda: (F.linear(x, weight), F.linear(hidden, output)),
            s.n * s.d * (s.columns + max(s.classes, LINE)),
        ),
        "sparse": (lambda: spmm(pattern, rows), pattern.nnz * s.d),
        "moved": (lambda: hidden + hidden, s.n * s.d),
        "softmax": (lambda: F.log_softmax(logits, dim=1), s.n),
    }


def to_markdown(
    contenders: dict[str, Contender],
    seconds: dict[tuple[str, str], float],
    rates: dict[str, float],
    steps: int,
) -> tuple[str, list[str]]:
    """Returns the table, and the names of steps that take more than ``MOST`` times as long as predicted.

    Args:
        contenders: by name.
        seconds: of ``steps`` steps, of as many on a tiny graph, and of the units.
        rates: seconds per operation of each kind.
        steps: of a contender.
    """
    header = (
        "step|ms|to GLNN|dense, M|sparse, M|moved, M|softmaxes, k|calls, ms|predicted ms|measured to it|formula"
    )
    lines, slow, base = [f"|{header}|", "|---" * 11 + "|"], [], seconds["step", "glnn"] / steps
    for name, contender in contenders.items():
        if contender.sizes is None:
            each = seconds["step", name]
            lines.append(f"| {name} | {1e3 * each:.2f} | {each / base:.2f} |{' – |' * 7} |")
            continue
        each, calls = (seconds[kind, name] / steps for kind in ("step", "calls"))
        formula, work_of = FORMULAS[contender.name]
        work = work_of(contender.sizes)
        expected = calls + time_of(work, rates)
        if each > MOST * expected:
            slow.append(name)
        counts = " | ".join(f"{1e-6 * count:.1f}" for count in work.counts()[:3])
        lines.append(
            f"| {name} | {1e3 * each:.2f} | {each / base:.2f} | {counts} | {1e-3 * work.softmax:.1f} "
            f"| {1e3 * calls:.2f} | {1e3 * expected:.2f} | {each / expected:.2f} | {formula} |"
        )
    sizes = contenders["glnn"].sizes
    assert sizes is not None
    named = f"N {sizes.n:,}, E {sizes.e:,}, D {sizes.columns:,}, nnz(X) {sizes.entries:,}, C {sizes.classes}"
    spelled = ", ".join(f"{kind} {1e-9 / rate:.3g}" for kind, rate in rates.items())
    return "\n".join([*lines, "", f"{named}, d {sizes.d}; 10⁹ operations a second: {spelled}"]), slow


def time_of(work: Work, rates: dict[str, float]) -> float:
    """Returns the seconds that the rates give."""
    return sum(count * rates[kind] for kind, count in zip(Work.__dataclass_fields__, work.counts(), strict=True))


if __name__ == "__main__":
    main()
