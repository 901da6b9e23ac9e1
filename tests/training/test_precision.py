"""Layers in bfloat16, and layers that are compiled."""

import functools
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from graphkd import GraphKDError, Training
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.spec import DistillSpec, resolve
from graphkd.students import MLP
from graphkd.training.stages.batched import BatchedJob, train_batched
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.student import StudentResult, train_student
from graphkd.training.stages.teacher import train_teacher
from tests.conftest import make_data

STUDENT = functools.partial(MLP, num_layers=3, hidden_dim=8, dropout=0.0)


def train(spec: DistillSpec, sparse: bool = False, cache: StageCache | None = None) -> tuple[StudentResult, list]:
    data, log = make_data(), []
    if sparse:
        data.x = (data.x * (data.x > 0.5)).to_sparse_csr()
    view = apply_setting(Graph.from_data(data), "transductive", 0)
    return train_student(view, spec, train_teacher(view, spec, 0, []), 0, log, cache), log


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("method", ["glnn", "infgrand"])
def test_bfloat16_follows_single_precision_at_its_distance(method: str, sparse: bool) -> None:
    spec = resolve(method=method, matching="forward", student=STUDENT, training=Training(8, 50))
    (one, log), (two, other) = train(spec, sparse), train(replaced(spec, precision="bfloat16"), sparse)
    assert [row["loss"] for row in log] == pytest.approx([row["loss"] for row in other], rel=0.02)
    assert log[0]["loss"] != other[0]["loss"]
    assert all(tensor.dtype == torch.float32 for tensor in two.task.state_dict().values())
    assert one.task.state_dict().keys() == two.task.state_dict().keys()


def replaced(spec: DistillSpec, **keys: object) -> DistillSpec:
    return replace(spec, training=replace(spec.training, **keys))


def test_members_of_a_batched_model_in_bfloat16(tmp_path: Path) -> None:
    spec = resolve(student=STUDENT, training=Training(8, 50, together=True, precision="bfloat16"))
    members, cache = [], StageCache(tmp_path)
    for seed in (0, 1):
        view = apply_setting(Graph.from_data(make_data()), "transductive", seed)
        members.append(BatchedJob(view, spec, train_teacher(view, spec, seed, []), seed))
    assert train_batched(members, cache) == 2
    for member in members:
        logs: list[list] = [[], []]
        parts = member.view, member.spec, member.teacher_result, member.seed
        train_student(*parts, logs[0], cache)
        train_student(*parts, logs[1])
        assert [row["loss"] for row in logs[0]] == pytest.approx([row["loss"] for row in logs[1]], rel=0.02)


@pytest.mark.slow
def test_a_compiled_student_is_the_same_student() -> None:
    spec = resolve(method="infgrand", student=STUDENT, training=Training(8, 50))
    (one, log), (two, other) = train(spec), train(replaced(spec, compile=True))
    assert [row["loss"] for row in log] == pytest.approx([row["loss"] for row in other], rel=1e-4)
    assert one.task.state_dict().keys() == two.task.state_dict().keys()


def test_without_a_compiler_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(GraphKDError, match="needs a C\\+\\+ compiler, and no-such-compiler is not there"):
        train(replaced(resolve(student=STUDENT), compile=True))
