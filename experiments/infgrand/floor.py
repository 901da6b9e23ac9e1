"""How far an epoch is from its matrix products alone; see README.md beside this file.

python experiments/infgrand/floor.py --data-dir data [cell …]

Every dense and sparse product of one epoch is recorded, shapes and sparse matrices included, and called again
without anything around it: that is the floor.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent.parent))
from cells import view_of  # experiments/cells.py
from products import products_of  # experiments/products.py
from timing import interleaved, machine  # experiments/timing.py

from graphkd.config import composed, spec_from
from graphkd.datasets import SettingView
from graphkd.spec import DistillSpec
from graphkd.training.stages.student import train_student
from graphkd.training.stages.teacher import TeacherResult, train_teacher

CELLS = ("cora_gcn_transductive", "photo_sage_transductive", "pubmed_gcn_transductive")
"""Narrow and sparse, wide and deep, many rows."""
SEED = 2022


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cells", nargs="*", default=CELLS)
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=5, help="of which a round takes the mean")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(machine(), "| cell | stage | ms per epoch | its products alone | ratio |", "|---" * 5 + "|", sep="\n")
    for cell in args.cells:
        config = composed([f"experiment=infgrand/{cell}"])
        spec, view = spec_from(config), view_of(config, SEED, args.data_dir)
        teacher_result = train_teacher(view, _shortened(spec, 1), SEED, [])
        for stage, run in stages(view, spec, teacher_result).items():
            epoch, floor = measured(run, args.epochs, args.rounds)
            print(f"| {cell} | {stage} | {epoch:.1f} | {floor:.1f} | {epoch / floor:.2f} |", flush=True)


def stages(
    view: SettingView, spec: DistillSpec, teacher_result: TeacherResult
) -> dict[str, Callable[[int], float]]:
    """Number of epochs → seconds of the training loop."""
    return {
        "teacher": lambda epochs: train_teacher(view, _shortened(spec, epochs), SEED, []).fit.seconds,
        "student": lambda epochs: (
            train_student(view, _shortened(spec, epochs), teacher_result, SEED, []).fit.seconds
        ),
    }


def measured(run: Callable[[int], float], epochs: int, rounds: int) -> tuple[float, float]:
    """Milliseconds of an epoch, and of its products alone, side by side."""
    calls = products_of(run)  # what comes before and after the epochs is in neither
    seconds: list[float] = []

    def products() -> None:
        for call in calls * epochs:
            call()

    found = interleaved({"epoch": lambda: seconds.append(run(epochs)), "products": products}, rounds)
    epoch = sorted(seconds[1:])[rounds // 2]
    return 1000 * epoch / epochs, 1000 * found["products"] / epochs


def _shortened(spec: DistillSpec, epochs: int) -> DistillSpec:
    return replace(spec, training=replace(spec.training, max_epochs=epochs, patience=epochs))


if __name__ == "__main__":
    main()
