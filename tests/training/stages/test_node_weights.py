from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest
import torch

from graphkd import GraphKDError, Training
from graphkd.datasets import Graph, Preprocessing, SettingView
from graphkd.datasets.setting import apply_setting
from graphkd.influence import confidence, infgrand, infgrand_per_class, reliability, shuffled
from graphkd.methods import InfGraND
from graphkd.spec import DistillSpec, resolve
from graphkd.teachers import GCN, TeacherOutput
from graphkd.training.stages.node_weights import node_weights
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.student import train_student
from graphkd.training.stages.teacher import TeacherResult, train_teacher
from tests.conftest import make_data

SHORT = Training(max_epochs=5, patience=5)


@pytest.fixture
def view() -> SettingView:
    return apply_setting(Graph.from_data(make_data()))


def spec_of(influence: Any, **keys: Any) -> DistillSpec:
    return resolve(method="infgrand", influence=influence, training=SHORT, **keys)


def taught_and_weighted(
    view: SettingView, influence: Any, seed: int = 0, cache: StageCache | None = None, **keys: Any
) -> tuple[TeacherResult, torch.Tensor]:
    spec = spec_of(influence, **keys)
    teacher_result = train_teacher(view, spec, seed, [])
    weights = node_weights(view, spec, teacher_result, seed, cache)
    assert weights is not None
    return teacher_result, weights


def kept_in(folder: Path) -> int:
    return len([file for file in (folder / "stages").iterdir() if file.name.startswith("influence-")])


def test_an_influence_is_computed_once_and_kept(view: SettingView, tmp_path: Path) -> None:
    cache = StageCache(tmp_path)
    both = [taught_and_weighted(view, "infgrand", cache=cache)[1] for _ in range(2)]
    assert torch.equal(*both)
    assert cache.made == ["influence"]


@pytest.mark.parametrize("weights", [torch.ones(3), torch.full((60,), 1.5), torch.full((60,), torch.nan), None])
def test_an_influence_that_is_none(weights: torch.Tensor | None, view: SettingView) -> None:
    with pytest.raises(GraphKDError, match=r"influence must return a tensor \[60\] of weights between 0 and 1"):
        taught_and_weighted(view, lambda x, adj: weights)


def test_the_inputs_are_what_they_say(view: SettingView) -> None:
    seen = {}

    def mine(x: Any, adj: Any, *, labels: Any, logits: Any, perturbed: Any) -> torch.Tensor:
        seen.update(labels=labels, logits=logits, same=perturbed(torch.zeros(x.shape)), noise=perturbed(1.0 + x))
        return torch.ones(adj.num_nodes)

    teacher_result, _ = taught_and_weighted(view, mine)
    graph = view.observed
    assert torch.equal(seen["labels"][graph.train], graph.y[graph.train])
    assert (seen["labels"] >= 0).sum() == graph.train.numel()
    torch.testing.assert_close(seen["logits"], teacher_result.output.logits)
    torch.testing.assert_close(seen["same"], teacher_result.output.logits)
    assert teacher_result.model is not None
    torch.testing.assert_close(seen["noise"], teacher_result.model(2 * graph.x + 1, graph.adj).logits)
    assert not any(tensor.requires_grad for tensor in seen.values())


def test_a_function_that_fails_says_with_what_it_was_called(view: SettingView) -> None:
    def mine(x: Any, adj: Any, logits: Any) -> torch.Tensor:
        raise ValueError("no")

    with pytest.raises(
        GraphKDError, match=r"influence=mine failed when called with \(x, adj, logits\): ValueError"
    ):
        taught_and_weighted(view, mine)


def test_the_run_s_seed_is_added_to_that_of_an_influence_that_draws(view: SettingView) -> None:
    draw = functools.partial(shuffled, base="degree")
    teacher_result = train_teacher(view, spec_of(draw), 0, [])
    weights = [
        node_weights(view, spec_of(functools.partial(draw, seed=own)), teacher_result, run)
        for own, run in ((0, 0), (2, 1), (0, 3), (3, 0), (2**32 - 1, 1))
    ]
    assert not torch.equal(weights[0], weights[1])
    assert torch.equal(weights[1], weights[2])
    assert torch.equal(weights[2], weights[3])
    assert torch.equal(weights[4], weights[0])


@pytest.mark.parametrize(
    ("influence", "changes", "files"),
    [
        ("degree", [{"seed": 1}, {"teacher": "sage"}], 1),
        ("random_uniform", [{"seed": 1}, {"teacher": "sage"}], 2),
        ("confidence", [{"teacher": "sage"}], 2),
        ("reliability", [{"teacher": "sage"}, {"seed": 1}], 3),
        (functools.partial(reliability, std=2.0), [{}], 1),
        (functools.partial(shuffled, base="confidence"), [{"teacher": "sage"}], 2),
        (functools.partial(shuffled, base="degree"), [{"teacher": "sage"}], 1),
        (infgrand_per_class, [{"teacher": "sage"}, {"seed": 1}], 1),
    ],
)
def test_the_key_holds_what_the_weights_depend_on(
    influence: Any, changes: list[dict[str, Any]], files: int, view: SettingView, tmp_path: Path
) -> None:
    cache = StageCache(tmp_path)
    for change in [{}, {}, *changes]:
        _, weights = taught_and_weighted(view, influence, cache=cache, **change)
        assert torch.equal(weights, taught_and_weighted(view, influence, **change)[1])
    assert kept_in(tmp_path) == files


def test_a_given_network_s_answers_to_noise_are_in_no_key(view: SettingView, tmp_path: Path) -> None:
    network, cache = GCN(num_features=8, num_classes=3), StageCache(tmp_path)
    for influence, kept in (("confidence", 1), ("reliability", 1)):
        spec = spec_of(influence, teacher=network)
        train_student(view, spec, train_teacher(view, spec, 0, []), 0, [], cache)
        assert kept_in(tmp_path) == kept
    assert cache.made.count("student") == 1


def test_noise_reaches_what_a_given_network_reads(view: SettingView) -> None:
    """One that is not graphkd's gets features as they came, and noise on these."""
    graph = Graph.from_data(make_data(), Preprocessing(row_normalize=True))
    seen = []

    class Mine(torch.nn.Linear):
        def forward(self, x: torch.Tensor, edge_index: torch.Tensor) -> torch.Tensor:
            seen.append(x)
            return super().forward(x)

    taught_and_weighted(apply_setting(graph), "reliability", teacher=Mine(8, 3))
    noise = torch.randn(60, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(seen[-1], make_data().x + noise)


def test_logits_that_are_given_can_be_sure_but_not_asked_again(view: SettingView) -> None:
    output = TeacherOutput(torch.rand(60, 3))
    _, weights = taught_and_weighted(view, "confidence", teacher=output)
    assert torch.equal(weights, confidence(view.observed.x, view.observed.adj, logits=output.logits))
    for influence in ("reliability", functools.partial(shuffled, base="reliability")):
        with pytest.raises(GraphKDError, match="reads the teacher again, with noise on the features"):
            spec_of(influence, teacher=output)


def test_an_influence_of_the_full_graph_asks_the_teacher_there() -> None:
    view = apply_setting(Graph.from_data(make_data()), "production")
    spec = resolve(method=InfGraND("reference"), influence=confidence, training=SHORT, setting="production")
    teacher_result = train_teacher(view, spec, 0, [])
    with pytest.warns(UserWarning, match="takes the influence from the full graph"):
        weights = node_weights(view, spec, teacher_result, 0)
    full = confidence(view.full.x, view.full.adj, logits=teacher_result.of(view.full).logits)
    torch.testing.assert_close(weights, full[view.nodes])


def test_the_released_influence_sums_over_as_many_first_nodes_as_are_observed() -> None:
    view = apply_setting(Graph.from_data(make_data()), "inductive")
    spec = resolve(method=InfGraND("reference"), training=SHORT, setting="inductive")
    with pytest.warns(UserWarning, match="takes the influence from the full graph"):
        weights = node_weights(view, spec, train_teacher(view, spec, 0, []), 0)
    full, columns = view.full, view.nodes.numel()
    expected = infgrand(full.x, full.adj, variant="reference", columns=columns)[view.nodes]
    assert torch.equal(weights, expected)
    assert not torch.equal(weights, infgrand(full.x, full.adj, variant="reference")[view.nodes])
