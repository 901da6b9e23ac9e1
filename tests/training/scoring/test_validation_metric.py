from dataclasses import replace

import pytest
import torch

from graphkd.datasets import Graph
from graphkd.sparse import Factored, SparseMatrix
from graphkd.students import MLP
from graphkd.students.stacked import StackedMLP
from graphkd.training.scoring.validation_metric import ValidationMetric, stacked_scores, with_equal_ones_shared
from tests.conftest import make_data


def several(graphs: list[Graph]) -> tuple[list[MLP], list[ValidationMetric]]:
    members = [MLP(graph.x.shape[1], 6, graph.num_classes).eval() for graph in graphs]
    scores = [ValidationMetric.of(member, graph.x, graph) for member, graph in zip(members, graphs, strict=True)]
    return members, scores


@pytest.mark.parametrize("same", [True, False])
def test_scores_by_one_call_are_those_of_each(same: bool) -> None:
    graph = Graph.from_data(make_data())
    other = replace(graph, val=graph.test[: graph.val.numel()])
    members, scores = several([graph, graph if same else other, graph])
    at_once = stacked_scores(scores)
    assert at_once is not None
    assert isinstance(at_once.rows, torch.Tensor) is not same
    stacked = StackedMLP(members, [torch.Generator() for _ in members])
    assert at_once(stacked).tolist() == [float(each()) for each in scores]


def test_factored_inputs_are_read_once_for_all() -> None:
    graph = Graph.from_data(make_data())
    x = SparseMatrix.from_torch((graph.x * (graph.x > 0.5)).to_sparse_csr())
    inputs = [Factored(x, graph.adj.normalize("symmetric", 1), 2) for _ in range(2)]
    graphs = [graph, replace(graph, val=graph.test[: graph.val.numel()])]
    members = [MLP(graph.x.shape[1], 6, graph.num_classes).eval() for _ in graphs]
    scores = [ValidationMetric.of(*each) for each in zip(members, inputs, graphs, strict=True)]
    at_once = stacked_scores(scores)
    assert at_once.rows[1] is at_once.rows[0]
    found = at_once(StackedMLP(members, [torch.Generator() for _ in members]))
    assert found.tolist() == [float(each()) for each in scores]


def test_what_one_call_cannot_score_is_known() -> None:
    graph = Graph.from_data(make_data())
    fewer = replace(graph, val=graph.val[:-1])
    assert stacked_scores(several([graph, fewer])[1]) is None
    two = replace(graph, y=graph.y.clamp_max(1), num_classes=2, metric="roc_auc")
    assert stacked_scores(several([two, two])[1]) is None


def test_equal_inputs_are_the_same_object() -> None:
    dense, sparse = torch.rand(5, 4), SparseMatrix.from_torch(torch.eye(5).to_sparse_csr())
    again = SparseMatrix.from_torch(torch.eye(5).to_sparse_csr())
    assert [each is dense for each in with_equal_ones_shared([dense, dense.clone(), dense + 1])] == [
        True,
        True,
        False,
    ]
    assert [each is sparse for each in with_equal_ones_shared([sparse, again, dense])] == [True, True, False]
