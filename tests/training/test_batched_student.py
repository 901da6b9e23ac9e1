"""The student stage in batches: what it reads, how much memory it takes, and that it learns."""

import functools
from dataclasses import replace
from pathlib import Path

from graphkd import Training, students
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.spec import resolve
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.student import train_student
from graphkd.training.stages.teacher import train_teacher
from tests.conftest import make_data
from tests.memory import peak_growth


def test_a_wide_student_learns_in_batches_and_a_batch_of_all_rows_is_the_full_batch() -> None:
    view, wide = (
        apply_setting(Graph.from_data(make_data())),
        functools.partial(students.MLP, hidden_dim=1024),
    )
    spec = resolve(student=wide, method="infgrand", training=Training(max_epochs=5, patience=5))
    teacher_result, found = train_teacher(view, spec, 0, []), {}
    for size in (None, 60, 16):
        log: list = []
        sized = replace(spec, training=replace(spec.training, batch_size=size))
        found[size] = (train_student(view, sized, teacher_result, 0, log).scores, log)
    assert found[None] == found[60] != found[16]
    assert found[16][0]["test"] > 0.6
    assert found[16][1][-1]["loss"] < found[16][1][0]["loss"]


def test_the_batch_is_part_of_the_student_s_key_and_not_of_the_teacher_s(tmp_path: Path) -> None:
    view = apply_setting(Graph.from_data(make_data()))
    for size in (None, 16):
        spec, cache = resolve(training=Training(2, batch_size=size)), StageCache(tmp_path)
        train_student(view, spec, train_teacher(view, spec, 0, [], cache), 0, [], cache)
    assert sorted(file.name.split("-")[0] for file in cache.files) == ["student", "student", "teacher"]


ROWS, WIDTH = 120_000, 256

SETUP = f"""
import torch
from graphkd.methods import GLNN, SoftTargets, Targets
from graphkd.students import MLP
from graphkd.training.fit import batches
from graphkd.training.fit.batches import Batches
from graphkd import Training
from graphkd.training.fit.loop import fit
from graphkd.training.fit.train_spec import TrainSpec
from graphkd.training.fit.task import DistillationTask
torch.set_num_threads(1)
batches.POOL_BYTES = 2**22
x, q = torch.ones({ROWS}, {WIDTH}, dtype=torch.float16), torch.ones({ROWS}, 8, dtype=torch.bfloat16)
soft = SoftTargets(q, torch.ones({ROWS}), 0.0, 1.0)
targets = Targets(x, torch.zeros({ROWS}, dtype=torch.long), torch.zeros({ROWS}).double(), soft)
task = DistillationTask(MLP({WIDTH}, 16, 8), GLNN())
rows = Batches(targets, 1024, 0, torch.device("cpu"))
groups = [[{{"params": list(task.parameters()), "lr": 0.01}}]]

def epoch(steps):
    score = lambda: torch.zeros(())
    train_spec = TrainSpec(task, lambda _: task.state_dict(), groups, [0.0], steps, score)
    fit("student", train_spec, Training(max_epochs=1), [[]])

epoch(lambda _: [task(targets.select(torch.arange(1024)))])
"""


def test_an_epoch_takes_memory_for_pools_and_a_batch_not_for_the_rows() -> None:
    """Two pools of 4 MiB and what a batch needs, in place of the table in float32."""
    growth = peak_growth(SETUP, "epoch(lambda _: map(task, rows.epoch(0)))")
    assert growth < 4 * ROWS * WIDTH / 2
