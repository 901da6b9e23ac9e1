"""Layers in bfloat16, and layers that are compiled."""

import functools
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from graphkd import GraphKDError, Training
from graphkd.datasets import Graph, Scene
from graphkd.recipe import Recipe, resolve
from graphkd.students import MLP
from graphkd.training.artefacts import Artefacts
from graphkd.training.student import StudentResult, train_student
from graphkd.training.teach import teach
from graphkd.training.together import Member, train_together
from tests.conftest import make_data

STUDENT = functools.partial(MLP, num_layers=3, hidden_dim=8, dropout=0.0)


def train(recipe: Recipe, sparse: bool = False, cache: Artefacts | None = None) -> tuple[StudentResult, list]:
    data, log = make_data(), []
    if sparse:
        data.x = (data.x * (data.x > 0.5)).to_sparse_csr()
    scene = Scene.of(Graph.from_data(data), "transductive", 0)
    return train_student(scene, recipe, teach(scene, recipe, 0, []), 0, log, cache), log


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("method", ["glnn", "infgrand"])
def test_bfloat16_follows_single_precision_at_its_distance(method: str, sparse: bool) -> None:
    recipe = resolve(method=method, matching="forward", student=STUDENT, training=Training(8, 50))
    (one, log), (two, other) = train(recipe, sparse), train(replaced(recipe, precision="bfloat16"), sparse)
    assert [row["loss"] for row in log] == pytest.approx([row["loss"] for row in other], rel=0.02)
    assert log[0]["loss"] != other[0]["loss"]
    assert all(tensor.dtype == torch.float32 for tensor in two.task.state_dict().values())
    assert one.task.state_dict().keys() == two.task.state_dict().keys()


def replaced(recipe: Recipe, **keys: object) -> Recipe:
    return replace(recipe, training=replace(recipe.training, **keys))


def test_members_of_a_batched_model_in_bfloat16(tmp_path: Path) -> None:
    recipe = resolve(student=STUDENT, training=Training(8, 50, together=True, precision="bfloat16"))
    members, cache = [], Artefacts(tmp_path)
    for seed in (0, 1):
        scene = Scene.of(Graph.from_data(make_data()), "transductive", seed)
        members.append(Member(scene, recipe, teach(scene, recipe, seed, []), seed))
    assert train_together(members, cache) == 2
    for member in members:
        logs: list[list] = [[], []]
        parts = member.scene, member.recipe, member.taught, member.seed
        train_student(*parts, logs[0], cache)
        train_student(*parts, logs[1])
        assert [row["loss"] for row in logs[0]] == pytest.approx([row["loss"] for row in logs[1]], rel=0.02)


@pytest.mark.slow
def test_a_compiled_student_is_the_same_student() -> None:
    recipe = resolve(method="infgrand", student=STUDENT, training=Training(8, 50))
    (one, log), (two, other) = train(recipe), train(replaced(recipe, compile=True))
    assert [row["loss"] for row in log] == pytest.approx([row["loss"] for row in other], rel=1e-4)
    assert one.task.state_dict().keys() == two.task.state_dict().keys()


def test_without_a_compiler_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(GraphKDError, match="needs a C\\+\\+ compiler, and no-such-compiler is not there"):
        train(replaced(resolve(student=STUDENT), compile=True))
