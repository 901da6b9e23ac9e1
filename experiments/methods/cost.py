"""What a step of each method costs, against a step of GLNN and its own formula; see README.md beside this file.

python experiments/methods/cost.py --data-dir data [--cell cpf_cora] [--rounds 6]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent))
from cells import view_of  # experiments/cells.py
from costs_of import FORMULAS  # experiments/methods/costs_of.py
from protocol import CELLS  # experiments/methods/protocol.py
from steps import Contender, Run, contenders_of, narrow, tiny  # experiments/methods/steps.py
from timing import machine  # experiments/timing.py
from work import LINE, Sizes, Work  # experiments/methods/work.py

from graphkd.config import composed
from graphkd.datasets import Graph
from graphkd.sparse import SparseMatrix, spmm
from graphkd.training.device.malloc import keep_freed_memory

MOST = 1.5
"""Largest measured time, in terms of the predicted one."""


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
