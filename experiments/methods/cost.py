"""What a step of each method costs, against a step of GLNN; see README.md beside this file.

python experiments/methods/cost.py --data-dir data [--cell cpf_cora] [--rounds 15]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent))
from cells import view_of  # experiments/cells.py
from protocol import CELLS, MODELS  # experiments/methods/protocol.py
from timing import interleaved, machine  # experiments/timing.py

from graphkd.config import composed
from graphkd.datasets import Graph, SettingView
from graphkd.methods import Epoch, Phase, Targets
from graphkd.sparse import SparseMatrix
from graphkd.spec import DistillSpec
from graphkd.training.fit.loop import Log
from graphkd.training.fit.task import DistillationTask
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.student import start_task
from graphkd.training.stages.targets import compile_targets
from graphkd.training.stages.teacher import TeacherResult, train_teacher

FORMULAS = {
    "mlp": "the labelled rows alone: idle rows are left out",
    "glnn": "2 nnz(X) d + 3 N d C",
    "krd": "as GLNN",
    "ff_g2m": "+ \\|A\\| C, with two softmaxes per edge",
    "adagmlp": "K times GLNN",
    "simmlp, pretrain": "2 hops \\|A\\| d + (9 N + 3 D) d² + 4 nnz(X) d",
    "simmlp, probe": "nnz(X) d + 2 N d C",
}
"""Multiply-adds of a step, forward and backward; nothing flows back into the rows or the probed encoder."""


@dataclass(frozen=True)
class Sizes:
    """What the formulas count.

    Args:
        nodes, edges, features, entries: ``N``, ``|A|``, ``D`` and ``nnz(X)``.
        classes: ``C``.
        width: ``d``.
        labelled: nodes with a label.
        members: ``K`` of AdaGMLP.
        hops: of SimMLP.
    """

    nodes: int
    edges: int
    features: int
    entries: int
    classes: int
    width: int
    labelled: int
    members: int
    hops: int

    def operations(self) -> dict[str, float]:
        """Returns the multiply-adds of a step, by its name in ``FORMULAS``."""
        d, output = self.width, self.nodes * self.width * self.classes
        glnn = 2 * self.entries * d + 3 * output
        return {
            "mlp": glnn * self.labelled / self.nodes,
            "glnn": glnn,
            "krd": glnn,
            "ff_g2m": glnn + self.edges * self.classes,
            "adagmlp": self.members * glnn,
            "simmlp, pretrain": 4 * self.entries * d
            + 2 * self.hops * self.edges * d
            + (9 * self.nodes + 3 * self.features) * d**2,
            "simmlp, probe": self.entries * d + 2 * output,
        }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--cell", default="cpf_cora", choices=list(CELLS))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=10, help="of each method in a round")
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    cell = CELLS[args.cell]()
    specs, view = cell.specs(), view_of(composed(cell.configs["glnn"]), 0, args.data_dir)
    contenders, sizes = contenders_of(specs, view, args.steps)
    seconds = interleaved(contenders, args.rounds)
    print(to_markdown(seconds, sizes, args.steps))
    print(machine())


def contenders_of(
    specs: dict[str, DistillSpec], view: SettingView, steps: int
) -> tuple[dict[str, Callable[[], None]], Sizes]:
    """Returns what is timed, by name: so many steps of each method, and what KRD does before an epoch."""
    glnn = specs["glnn"]
    short = replace(glnn, training=replace(glnn.training, max_epochs=20))
    contenders: dict[str, Callable[[], None]] = {}
    with TemporaryDirectory() as folder:
        cache = StageCache(Path(folder))
        teacher = train_teacher(view, short, 0, Log(), cache)
        for name in (name for name in MODELS if name in specs):
            targets = compile_targets(view, specs[name], teacher, 0, cache)
            for phase in specs[name].method.phases():
                named = f"{name}, {phase.name}" if phase.name else name
                contenders[named] = stepper(view.observed, specs[name], targets, teacher, phase, steps)
            if name == "krd":
                contenders |= starts(view.observed, specs[name], targets, teacher)
    return contenders, sizes_of(view.observed, specs)


def stepper(
    graph: Graph, spec: DistillSpec, targets: Targets, teacher: TeacherResult, phase: Phase, steps: int
) -> Callable[[], None]:
    """Returns a function that takes so many steps on all rows, each with its backward pass and Adam."""
    task = task_of(graph, spec, targets, teacher)
    task.phase = phase
    rows = targets.without_idle_rows() if task.method.is_plain else targets
    optimizer = torch.optim.Adam(task.parameter_groups(spec.training.lr), fused=True)

    def run() -> None:
        task.train()
        for _ in range(steps):
            task(rows)["loss"].backward()
            optimizer.step()
            optimizer.zero_grad()

    return run


def starts(
    graph: Graph, spec: DistillSpec, targets: Targets, teacher: TeacherResult
) -> dict[str, Callable[[], None]]:
    """Returns what KRD does before an epoch, and of that the student's forward pass alone."""
    task = task_of(graph, spec, targets, teacher)

    def logits() -> torch.Tensor:
        task.eval()
        with torch.no_grad():
            return task.student(targets.inputs).logits  # type: ignore[no-any-return]

    epoch = Epoch(100, 500, 0, graph.y.device, logits)
    return {"krd, on_epoch_start": partial(task.on_epoch_start, epoch, targets), "krd, logits alone": logits}


def task_of(graph: Graph, spec: DistillSpec, targets: Targets, teacher: TeacherResult) -> DistillationTask:
    """Returns a student at its start, drawn from seed 0."""
    torch.manual_seed(0)
    return start_task(graph, spec, targets, 0, teacher.output)


def sizes_of(graph: Graph, specs: dict[str, DistillSpec]) -> Sizes:
    """Returns what the formulas count."""
    entries = graph.x.nnz if isinstance(graph.x, SparseMatrix) else graph.x.numel()
    width = specs["glnn"].student.keywords["hidden_dim"]  # type: ignore[union-attr]
    return Sizes(
        nodes=graph.num_nodes,
        edges=graph.adj.structure(self_loops=0).nnz,
        features=graph.num_features,
        entries=entries,
        classes=graph.num_classes,
        width=width,
        labelled=graph.train.numel(),
        members=specs["adagmlp"].method.members,
        hops=specs["simmlp"].method.hops,
    )


def to_markdown(seconds: dict[str, float], sizes: Sizes, steps: int) -> str:
    """Returns milliseconds, measured ratios to a step of GLNN and those that the formulas give."""
    expected, base = sizes.operations(), seconds["glnn"] / steps
    lines = ["| step | ms | ratio to GLNN | by formula | formula |", "|---|---|---|---|---|"]
    for name, value in seconds.items():
        each = value / (steps if name in expected else 1)
        ratio = f"{expected[name] / expected['glnn']:.2f}" if name in expected else "–"
        lines.append(f"| {name} | {1000 * each:.2f} | {each / base:.2f} | {ratio} | {FORMULAS.get(name, '')} |")
    counts = f"N {sizes.nodes:,}, |A| {sizes.edges:,}, D {sizes.features:,}, nnz(X) {sizes.entries:,}"
    return "\n".join([*lines, "", f"{counts}, C {sizes.classes}, d {sizes.width}"])


if __name__ == "__main__":
    main()
