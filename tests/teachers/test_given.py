from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.data import Data
from torch_geometric.nn import GCNConv

import graphkd
from graphkd import GraphKDError, Training
from graphkd.datasets import Graph, Preprocessing
from graphkd.teachers import GCN, TeacherOutput
from graphkd.teachers.given import given_output
from tests.conftest import make_data

SHORT = Training(max_epochs=40, patience=40)


class Own(nn.Module):
    """A user's network, written for PyG."""

    def __init__(self, hops: bool = False) -> None:
        super().__init__()
        self.one, self.two, self.tells_hops = GCNConv(8, 16), GCNConv(16, 3), hops

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None = None) -> Tensor | TeacherOutput:
        hidden = nn.functional.dropout(self.one(x, edge_index, edge_weight).relu(), 0.5, self.training)
        logits = self.two(hidden, edge_index, edge_weight)
        return TeacherOutput(logits, [hidden, logits]) if self.tells_hops else logits


def fitted(data: Data, **keys: bool) -> Own:
    torch.manual_seed(0)
    model = Own(**keys)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(40):
        optimizer.zero_grad()
        said = model(data.x, data.edge_index)
        logits = said.logits if isinstance(said, TeacherOutput) else said
        nn.functional.cross_entropy(logits[data.train_mask], data.y[data.train_mask]).backward()
        optimizer.step()
    return model


def test_network_output_and_logits_alone_give_the_same_student() -> None:
    data = make_data()
    model = fitted(data)
    with torch.no_grad():
        logits = model.eval()(data.x, data.edge_index)
    given = (model, TeacherOutput(logits), logits, logits.numpy())
    runs = [graphkd.distill(data, teacher=each, training=SHORT) for each in given]
    states = [run.student.state_dict() for run in runs]
    assert all(torch.equal(states[0][name], state[name]) for state in states for name in state)
    right = (logits.argmax(dim=1) == data.y)[data.test_mask].double().mean()
    assert [run.metrics["seeds"][0]["teacher"]["test"] for run in runs] == [float(right)] * 4
    assert [run.teacher for run in runs] == [model, None, None, None]
    assert runs[0].metrics["teacher"] == "Own"
    assert runs[0].metrics["mean"]["student_test"] > 0.6


def test_a_network_is_left_as_it_was_and_called_without_dropout() -> None:
    data = make_data()
    model = Own().train()
    graph = Graph.from_data(data)
    assert torch.equal(given_output(model, graph).logits, given_output(model, graph).logits)
    assert model.training


def test_the_features_come_as_the_person_knows_them_and_weights_where_there_are_some() -> None:
    data, seen = make_data(), []
    data.edge_weight = torch.rand(data.num_edges)

    class Spy(nn.Module):
        def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor) -> Tensor:
            seen.append((x, edge_index, edge_weight))
            return torch.zeros(60, 3)

    given_output(Spy(), Graph.from_data(data, Preprocessing(row_normalize=True)))
    x, edges, weight = seen[0]
    assert torch.equal(x, data.x)
    dense = torch.zeros(60, 60).index_put_((edges[0], edges[1]), weight)
    expected = torch.zeros(60, 60).index_put_((data.edge_index[0], data.edge_index[1]), data.edge_weight)
    assert torch.equal(dense, expected)


def test_matching_uses_the_hops_that_a_network_tells() -> None:
    data = make_data()
    run = graphkd.distill(data, teacher=fitted(data, hops=True), matching="forward", training=SHORT)
    assert {"matching", "soft"} <= set(run.result.log[0])
    with pytest.raises(GraphKDError, match="a given teacher: give its hops as well"):
        graphkd.distill(data, teacher=fitted(data), matching="forward", training=SHORT)


@pytest.mark.parametrize("setting", ["production", "inductive", "cold_start"])
def test_a_network_answers_for_hidden_nodes(setting: str) -> None:
    data = make_data()
    with pytest.warns(UserWarning, match="hides nodes that the given teacher may have seen"):
        run = graphkd.distill(data, teacher=fitted(data), setting=setting, training=SHORT)
    assert run.metrics["teacher_may_have_seen_hidden"] is True
    assert {"test_ind", "test_tran"} <= set(run.metrics["seeds"][0]["teacher"])


def test_a_teacher_of_another_run_serves_again(tmp_path: Path) -> None:
    data = make_data()
    first = graphkd.distill(data, teacher="gcn", training=SHORT, preprocessing=Preprocessing(row_normalize=True))
    assert isinstance(first.teacher, GCN)
    keys = {"training": SHORT, "preprocessing": Preprocessing(row_normalize=True)}
    second = graphkd.distill(data, teacher=first.teacher, **keys)
    states = first.student.state_dict(), second.student.state_dict()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    second.save(tmp_path / "run")
    assert graphkd.load_bundle(tmp_path / "run").predict(data.x).shape == (60,)


WRONG = {
    "too few rows": (torch.zeros(59, 3), r"finite numbers \[60, 3\], one row per node.*but are \[59, 3\]"),
    "too few classes": (torch.zeros(60, 2), r"but are \[60, 2\]"),
    "not finite": (torch.full((60, 3), torch.inf), "finite numbers"),
    "no logits": (TeacherOutput(None), "but are NoneType"),  # type: ignore[arg-type]
    "hops of another graph": (
        TeacherOutput(torch.zeros(60, 3), [torch.zeros(4, 3)]),
        r"finite numbers \[60, d\], but one is \[4, 3\]",
    ),
    "a network of other sizes": (nn.Linear(8, 3), r"Linear failed when called with \(x, edge_index\): TypeError"),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_what_is_no_teacher_is_one_line(mistake: str) -> None:
    teacher, message = WRONG[mistake]
    with pytest.raises(GraphKDError, match=message):
        graphkd.distill(make_data(), teacher=teacher, training=SHORT)


def test_a_run_of_a_given_teacher_does_not_take_another_one_s_place(tmp_path: Path) -> None:
    one, two = (graphkd.distill(make_data(), teacher=torch.randn(60, 3), training=SHORT) for _ in range(2))
    one.save(tmp_path / "run")
    with pytest.raises(GraphKDError, match="holds a run with another teacher.checksum"):
        two.save(tmp_path / "run")
    two.save(tmp_path / "run", overwrite=True)


def test_wide_sparse_features_stay_sparse(monkeypatch: pytest.MonkeyPatch) -> None:
    import graphkd.teachers.given as module

    data, seen = make_data(), []
    data.x = data.x.to_sparse_csr()

    class Spy(nn.Module):
        def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
            seen.append(x.layout)
            return torch.zeros(60, 3)

    given_output(Spy(), Graph.from_data(data))
    monkeypatch.setattr(module, "TABLE_BYTES", 100)
    given_output(Spy(), Graph.from_data(data))
    assert seen == [torch.strided, torch.sparse_csr]
