"""The profile of an influence: what it is made of, and when there is none."""

import functools
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import graphkd
from graphkd import GraphKDError, Training
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.evaluation import rank_biserial, spearman
from graphkd.influence import degree, uniform
from graphkd.influence.properties import KINDS
from graphkd.methods import GLNN, InfGraND
from graphkd.runs import InfluenceProfile
from graphkd.runs.influence import weighted_terms
from graphkd.spec import DistillSpec, resolve
from graphkd.teachers import GCN, TeacherOutput
from graphkd.training.stages.teacher import train_teacher
from tests.conftest import make_data

METHOD = InfGraND(gamma1=1.0, gamma2=0.4, delta1=0.5, delta2=2.0)


def spec_of(influence=None, setting: str = "transductive", method=METHOD) -> DistillSpec:
    teacher = functools.partial(GCN, hidden_dim=4)
    training = Training(max_epochs=3)
    return resolve(teacher=teacher, method=method, influence=influence, setting=setting, training=training)


@pytest.fixture
def graph() -> Graph:
    return Graph.from_data(make_data())


def test_it_holds_the_weights_of_the_loss_and_what_the_influence_agrees_with(graph: Graph) -> None:
    view, spec = apply_setting(graph), spec_of("degree")
    teacher_result = train_teacher(view, spec, 0, [])
    found = InfluenceProfile.of(view, spec, teacher_result, 0)
    score = degree(graph.x, graph.adj)
    assert torch.equal(found.influence, score)
    assert torch.equal(found.nodes, torch.arange(60))
    distillation, supervision = found.terms["distillation"], found.terms["supervision"]
    assert (distillation.base, distillation.slope) == (1.0, 0.4)
    assert (supervision.base, supervision.slope) == (0.5, 2.0)
    torch.testing.assert_close(distillation.weights, 1.0 + 0.4 * score.double())
    labelled = torch.zeros(60, dtype=torch.bool)
    labelled[graph.train] = True
    torch.testing.assert_close(supervision.weights[labelled], 0.5 + 2.0 * score[labelled].double())
    assert supervision.weights[~labelled].isnan().all()
    assert (distillation.variation.nodes, supervision.variation.nodes) == (60, 20)
    assert list(found.correlations) == list(KINDS)
    assert found.correlations["degree"].value == 1.0
    assert found.correlations["entropy"] == spearman(score, found.properties["entropy"])
    right = (teacher_result.output.logits.argmax(dim=1) == graph.y).double()
    assert found.correlations["right"] == rank_biserial(score[~labelled], right[~labelled])


def test_the_weights_are_those_of_the_method_s_targets(graph: Graph) -> None:
    """A teacher that is one distribution everywhere leaves the weights alone in the table."""
    influence = degree(graph.x, graph.adj)
    terms = weighted_terms(METHOD, graph, influence)
    targets = METHOD.prepare(graph.with_influence(influence), TeacherOutput(torch.zeros(60, 3)))
    expected = targets.label_weight[graph.train] * graph.train.numel()
    torch.testing.assert_close(terms["supervision"].weights[graph.train], expected)
    pattern = graph.adj.structure(1).to_dense().double()
    mean = pattern @ terms["distillation"].weights / pattern.sum(dim=1) / 60
    assert targets.soft is not None
    torch.testing.assert_close(targets.soft.row_weight.double(), mean, atol=1e-6, rtol=0)


def test_without_a_teacher_its_rows_are_left_out(graph: Graph) -> None:
    found = InfluenceProfile.of(apply_setting(graph), spec_of(), None, 0)
    assert [name for name in found.correlations if KINDS[name][0] == "teacher"] == []
    with pytest.raises(GraphKDError, match="influence=confidence reads the teacher, and there is none: give one"):
        InfluenceProfile.of(apply_setting(graph), spec_of("confidence"), None, 0)


def test_hidden_nodes_are_no_part_of_it(graph: Graph) -> None:
    view, spec = apply_setting(graph, "cold_start", 3), spec_of("degree", "cold_start")
    found = InfluenceProfile.of(view, spec, None, 3)
    assert torch.equal(found.nodes, view.nodes)
    assert all(values.shape == (56,) for values in [found.influence, *found.properties.values()])
    hidden = replace(graph, x=graph.x.clone(), y=graph.y.clone())
    hidden.x[view.hidden] = 9.0
    hidden.y[view.hidden] = 0
    again = InfluenceProfile.of(apply_setting(hidden, "cold_start", 3), spec, None, 3)
    assert again.correlations == found.correlations


def test_an_influence_that_ranks_nothing_and_one_that_is_none(graph: Graph) -> None:
    found = InfluenceProfile.of(apply_setting(graph), spec_of(uniform), None, 0)
    assert all(each.value != each.value for each in found.correlations.values())
    assert found.terms["distillation"].variation.coefficient == 0.0
    with pytest.raises(GraphKDError, match="method=infgrand with influence=none leaves nothing to measure"):
        InfluenceProfile.of(apply_setting(graph), spec_of("none"), None, 0)


def test_a_method_of_another_kind_says_nothing_of_its_weights(graph: Graph) -> None:
    assert weighted_terms(GLNN(), graph, torch.ones(60)) == {}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "typicality"), [("cora", 0.996), ("citeseer", 0.998)])
def test_the_published_score_ranks_by_features_and_not_by_the_graph(
    name: str, typicality: float, data_dir: Path
) -> None:
    view = apply_setting(Graph.from_data(graphkd.load_dataset(name, data_dir)))
    spec = spec_of(method=InfGraND(variant="reference"))
    found = InfluenceProfile.of(view, spec, None, 0).correlations
    assert found["typicality"].value == pytest.approx(typicality, abs=5e-4)
    assert found["degree"].value == pytest.approx(0.109, abs=5e-4)
    assert abs(found["random_walk"].value) < 0.01
