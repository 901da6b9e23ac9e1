"""A trained teacher of numbers is given to another run: as a network, from a folder, as an output."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import graphkd
from graphkd import Training
from graphkd.datasets import Graph
from graphkd.runs import Run
from graphkd.tasks.units import InUnits
from graphkd.teachers import GCN, TeacherOutput
from graphkd.teachers.given import given_output
from tests.tasks.graphs import data_of

PARTS: dict[str, Any] = {"method": "infgrand", "training": Training(max_epochs=10), "baseline": False}


def weights(run: Run) -> dict[str, Tensor]:
    return dict(run.student.state_dict())


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def run() -> Run:
    return graphkd.distill(data_of("regression"), **PARTS)


def test_the_network_answers_in_the_users_units(run: Run) -> None:
    data = data_of("regression")
    output = run.teacher(run.preprocess(data.x), data.edge_index)
    assert torch.equal(output.logits, run.teacher_output.logits)
    assert torch.equal(output.hops[-1], output.logits)
    recorded = run.metrics["seeds"][0]["teacher"]["test"]
    y = data.y[data.test_mask].unsqueeze(1)
    residual = (y - output.logits[data.test_mask]).square().sum()
    assert float(1 - residual / (y - y.mean()).square().sum()) == pytest.approx(recorded, abs=1e-6)


def test_the_given_and_the_saved_network_teach_the_same_student(run: Run, tmp_path: Path) -> None:
    data = data_of("regression")
    run.save(tmp_path / "run", save_teacher=True)
    saved = graphkd.load_run(tmp_path / "run", data=data)
    assert torch.equal(saved.teacher_output().logits, run.teacher_output.logits)
    for teacher in (run.teacher, saved.teacher()):
        again = graphkd.distill(data, teacher=teacher, **PARTS)
        assert same(weights(run), weights(again))
        assert again.metrics["mean"]["teacher_test"] == run.metrics["mean"]["teacher_test"]
        assert again.teacher is teacher
    again.save(tmp_path / "again")
    assert again.metrics["teacher"] == "gcn"


def test_the_output_teaches_nearly_the_same_student(run: Run) -> None:
    for teacher in (run.teacher_output, run.teacher_output.logits):
        again = graphkd.distill(data_of("regression"), teacher=teacher, **PARTS)
        for name, tensor in weights(run).items():
            torch.testing.assert_close(weights(again)[name], tensor, rtol=1e-4, atol=1e-4)


def test_a_network_of_another_split_keeps_its_own_scale(run: Run) -> None:
    data = data_of("regression")
    expected = run.teacher_output.logits
    data.train_mask, data.val_mask = data.val_mask, data.train_mask
    again = graphkd.distill(data, teacher=run.teacher, **PARTS)
    torch.testing.assert_close(again.teacher_output.logits, expected, rtol=1e-6, atol=1e-3)


def test_numbers_far_from_zero_are_not_rounded_away() -> None:
    data = data_of("regression")
    data.y = 1e7 + data.y / 250
    graph = Graph.from_data(data)
    known = graph.y[graph.train]
    expected = (graph.y - known.mean()) / known.std(correction=0)
    output = given_output(TeacherOutput(graph.y, [torch.zeros(60, 2), graph.y]), graph)
    torch.testing.assert_close(output.logits, expected.float())
    assert torch.equal(output.hops[-1], output.logits)


def test_a_trained_network_of_classes_is_given_back_itself() -> None:
    run = graphkd.distill(data_of("multiclass"), **PARTS)
    assert isinstance(run.teacher, GCN)
    assert run.teacher is run.result.teacher_result.model
    assert run.teacher_output is run.result.teacher_result.output
    assert same(weights(run), weights(graphkd.distill(data_of("multiclass"), teacher=run.teacher, **PARTS)))


def test_the_scale_is_part_of_the_network(run: Run) -> None:
    assert isinstance(run.teacher, InUnits)
    twin = InUnits(GCN(num_features=5, num_classes=1), torch.zeros(1), torch.ones(1))
    twin.load_state_dict(run.teacher.state_dict())
    data = data_of("regression")
    output: TeacherOutput = twin.eval()(data.x, data.edge_index)
    assert torch.equal(output.logits, run.teacher_output.logits)
