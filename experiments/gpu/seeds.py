"""Five seeds as one batched model against one run, and against five one after another.

python experiments/gpu/seeds.py --data-dir data [--device cpu]
"""

from __future__ import annotations

import argparse
import functools
import math
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

sys.path.insert(0, str(Path(__file__).parent.parent))
from cells import view_of  # experiments/cells.py
from timing import machine  # experiments/timing.py

from graphkd.config import composed, spec_from
from graphkd.datasets import SettingView
from graphkd.spec import DistillSpec
from graphkd.training.stages.batched import BatchedJob, train_batched
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.student import train_student
from graphkd.training.stages.teacher import TeacherResult, train_teacher

CELLS = {
    "cora, 2 x 128": ["dataset=cora", "teacher=sage", "teacher.aggregator=gcn", "method=glnn"],
    "cora, published": ["experiment=infgrand/cora_sage_transductive"],
    "photo, published": ["experiment=infgrand/photo_gat_transductive"],
}
SEEDS = 5

PRODUCTS = re.compile(r"gemm|cutlass|splitK|gemv|^_kernel$")
"""Names of kernels that multiply: cuBLAS's, and our two (``sparse/triton_spmm``, ``students/triton_gradient``)."""


def rows(device: str, data_dir: str, epochs: int, cells: list[str]) -> list[dict[str, Any]]:
    """One seed, all one after another, and all at once: seconds of so many epochs, and milliseconds of an epoch.

    On a CUDA device also what of an epoch its dense and sparse products take.
    """
    found = []
    for name in cells:
        group = Group.of(CELLS[name], data_dir, device)
        row = {"what": "five seeds", "size": name, "width": "", **times(group, epochs)}
        if device == "cuda":
            row["products_one"] = products_ms(functools.partial(group.one_by_one, seeds=1), 60)
            row["products_at_once"] = products_ms(group.at_once, 60)
        found.append(row)
    return found


def times(group: Group, epochs: int, rounds: int = 2) -> dict[str, float]:
    """The fastest of some rounds, after one that is not counted; an epoch is what the later ones take."""
    alone, together = (dict.fromkeys((epochs // 4, epochs), math.inf) for _ in range(2))
    for round_ in range(rounds + 1):
        for length in alone:
            one_by_one, at_once = group.one_by_one(length), group.at_once(length)
            if round_:
                alone[length], together[length] = min(alone[length], one_by_one), min(together[length], at_once)
    later = [1000 * (spent[epochs] - spent[epochs // 4]) / (epochs - epochs // 4) for spent in (alone, together)]
    one_by_one, at_once, one = alone[epochs], together[epochs], alone[epochs] / SEEDS
    return {"one": one, "one_by_one": one_by_one, "at_once": at_once, "of_one": at_once / one,
            "of_all": at_once / one_by_one, "epoch_one": later[0] / SEEDS, "epoch_at_once": later[1],
            "epoch_of_one": SEEDS * later[1] / later[0]}  # fmt: skip


@dataclass(frozen=True)
class Group:
    """The seeds of one cell, ready to be teacher_result by teachers of two epochs.

    Args:
        spec: of all.
        views, teacher_result: one per seed.
    """

    spec: DistillSpec
    views: list[SettingView]
    teacher_result: list[TeacherResult]

    @classmethod
    def of(cls, cell: list[str], data_dir: str, device: str) -> Group:
        """Of a cell's configuration."""
        config = composed(cell)
        spec = spec_from(config)
        short = replace(spec, training=replace(spec.training, max_epochs=2))
        views = [view_of(config, seed, data_dir, device) for seed in range(SEEDS)]
        return cls(spec, views, [train_teacher(view, short, seed, []) for seed, view in enumerate(views)])

    def one_by_one(self, epochs: int, seeds: int = SEEDS) -> float:
        """Seconds of the students' training, so many epochs each."""
        spec = self._recipe(epochs, together=False)
        each = list(enumerate(zip(self.views, self.teacher_result, strict=True)))[:seeds]
        return sum(train_student(view, spec, said, seed, []).fit.seconds for seed, (view, said) in each)

    def at_once(self, epochs: int) -> float:
        """Seconds of all students' training."""
        spec = self._recipe(epochs, together=True)
        each = list(enumerate(zip(self.views, self.teacher_result, strict=True)))
        with tempfile.TemporaryDirectory() as folder:
            cache = StageCache(Path(folder))
            assert (
                train_batched([BatchedJob(view, spec, said, seed) for seed, (view, said) in each], cache) == SEEDS
            )
            parts = ((view, spec, said, seed, [], cache) for seed, (view, said) in each)
            return sum(train_student(*part).fit.seconds for part in parts)

    def _recipe(self, epochs: int, together: bool) -> DistillSpec:
        training = replace(self.spec.training, max_epochs=epochs, patience=10**6, together=together)
        return replace(self.spec, training=training)


COLUMNS = ("one", "one_by_one", "at_once", "of_one", "of_all", "epoch_one", "epoch_at_once", "epoch_of_one")


def products_ms(run: Callable[[int], object], epochs: int) -> float:
    """Milliseconds that an epoch's products take on the device, by its own clock."""

    def total(length: int) -> float:
        with profile(activities=[ProfilerActivity.CUDA]) as seen:
            run(length)
        kernels = [event for event in seen.events() if event.device_type == torch.autograd.DeviceType.CUDA]
        return sum(event.time_range.elapsed_us() for event in kernels if PRODUCTS.search(event.name)) / 1000

    return (total(epochs) - total(epochs // 4)) / (epochs - epochs // 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cells", nargs="*", default=list(CELLS))
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(machine(), f"| {' | '.join(('cell', *COLUMNS))} |", "|---" * (1 + len(COLUMNS)) + "|", sep="\n")
    for row in rows(args.device, args.data_dir, args.epochs, args.cells):
        print(f"| {row['size']} | {' | '.join(f'{row[key]:.3g}' for key in COLUMNS if key in row)} |", flush=True)


if __name__ == "__main__":
    main()
