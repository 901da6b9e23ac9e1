from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest
import torch

from graphkd import GraphKDError, Training
from graphkd.datasets import Graph, Preprocessing, Scene
from graphkd.influence import confidence, infgrand, infgrand_per_class, reliability, shuffled
from graphkd.methods import InfGraND
from graphkd.recipe import Recipe, resolve
from graphkd.teachers import GCN, TeacherOutput
from graphkd.training.artefacts import Artefacts
from graphkd.training.student import train_student
from graphkd.training.teach import TeacherResult, teach
from graphkd.training.weights import node_weights
from tests.conftest import make_data

SHORT = Training(max_epochs=5, patience=5)


@pytest.fixture
def scene() -> Scene:
    return Scene.of(Graph.from_data(make_data()))


def recipe_of(influence: Any, **keys: Any) -> Recipe:
    return resolve(method="infgrand", influence=influence, training=SHORT, **keys)


def taught_and_weighted(
    scene: Scene, influence: Any, seed: int = 0, cache: Artefacts | None = None, **keys: Any
) -> tuple[TeacherResult, torch.Tensor]:
    recipe = recipe_of(influence, **keys)
    taught = teach(scene, recipe, seed, [])
    weights = node_weights(scene, recipe, taught, seed, cache)
    assert weights is not None
    return taught, weights


def kept_in(folder: Path) -> int:
    return len([file for file in (folder / "stages").iterdir() if file.name.startswith("influence-")])


def test_an_influence_is_computed_once_and_kept(scene: Scene, tmp_path: Path) -> None:
    cache = Artefacts(tmp_path)
    both = [taught_and_weighted(scene, "infgrand", cache=cache)[1] for _ in range(2)]
    assert torch.equal(*both)
    assert cache.made == ["influence"]


@pytest.mark.parametrize("weights", [torch.ones(3), torch.full((60,), 1.5), torch.full((60,), torch.nan), None])
def test_an_influence_that_is_none(weights: torch.Tensor | None, scene: Scene) -> None:
    with pytest.raises(GraphKDError, match=r"influence must return a tensor \[60\] of weights between 0 and 1"):
        taught_and_weighted(scene, lambda x, adj: weights)


def test_the_inputs_are_what_they_say(scene: Scene) -> None:
    seen = {}

    def mine(x: Any, adj: Any, *, labels: Any, logits: Any, perturbed: Any) -> torch.Tensor:
        seen.update(labels=labels, logits=logits, same=perturbed(torch.zeros(x.shape)), noise=perturbed(1.0 + x))
        return torch.ones(adj.num_nodes)

    taught, _ = taught_and_weighted(scene, mine)
    graph = scene.observed
    assert torch.equal(seen["labels"][graph.train], graph.y[graph.train])
    assert (seen["labels"] >= 0).sum() == graph.train.numel()
    torch.testing.assert_close(seen["logits"], taught.output.logits)
    torch.testing.assert_close(seen["same"], taught.output.logits)
    assert taught.model is not None
    torch.testing.assert_close(seen["noise"], taught.model(2 * graph.x + 1, graph.adj).logits)
    assert not any(tensor.requires_grad for tensor in seen.values())


def test_a_function_that_fails_says_with_what_it_was_called(scene: Scene) -> None:
    def mine(x: Any, adj: Any, logits: Any) -> torch.Tensor:
        raise ValueError("no")

    with pytest.raises(
        GraphKDError, match=r"influence=mine failed when called with \(x, adj, logits\): ValueError"
    ):
        taught_and_weighted(scene, mine)


def test_the_run_s_seed_is_added_to_that_of_an_influence_that_draws(scene: Scene) -> None:
    draw = functools.partial(shuffled, base="degree")
    taught = teach(scene, recipe_of(draw), 0, [])
    weights = [
        node_weights(scene, recipe_of(functools.partial(draw, seed=own)), taught, run)
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
    influence: Any, changes: list[dict[str, Any]], files: int, scene: Scene, tmp_path: Path
) -> None:
    cache = Artefacts(tmp_path)
    for change in [{}, {}, *changes]:
        _, weights = taught_and_weighted(scene, influence, cache=cache, **change)
        assert torch.equal(weights, taught_and_weighted(scene, influence, **change)[1])
    assert kept_in(tmp_path) == files


def test_a_given_network_s_answers_to_noise_are_in_no_key(scene: Scene, tmp_path: Path) -> None:
    network, cache = GCN(num_features=8, num_classes=3), Artefacts(tmp_path)
    for influence, kept in (("confidence", 1), ("reliability", 1)):
        recipe = recipe_of(influence, teacher=network)
        train_student(scene, recipe, teach(scene, recipe, 0, []), 0, [], cache)
        assert kept_in(tmp_path) == kept
    assert cache.made.count("student") == 1


def test_noise_reaches_what_a_given_network_reads(scene: Scene) -> None:
    """One that is not graphkd's gets features as they came, and noise on these."""
    graph = Graph.from_data(make_data(), Preprocessing(row_normalize=True))
    seen = []

    class Mine(torch.nn.Linear):
        def forward(self, x: torch.Tensor, edge_index: torch.Tensor) -> torch.Tensor:
            seen.append(x)
            return super().forward(x)

    taught_and_weighted(Scene.of(graph), "reliability", teacher=Mine(8, 3))
    noise = torch.randn(60, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(seen[-1], make_data().x + noise)


def test_logits_that_are_given_can_be_sure_but_not_asked_again(scene: Scene) -> None:
    output = TeacherOutput(torch.rand(60, 3))
    _, weights = taught_and_weighted(scene, "confidence", teacher=output)
    assert torch.equal(weights, confidence(scene.observed.x, scene.observed.adj, logits=output.logits))
    for influence in ("reliability", functools.partial(shuffled, base="reliability")):
        with pytest.raises(GraphKDError, match="asks the teacher again, with noise on the features"):
            recipe_of(influence, teacher=output)


def test_an_influence_of_the_full_graph_asks_the_teacher_there() -> None:
    scene = Scene.of(Graph.from_data(make_data()), "production")
    recipe = resolve(method=InfGraND("reference"), influence=confidence, training=SHORT, setting="production")
    taught = teach(scene, recipe, 0, [])
    with pytest.warns(UserWarning, match="takes the influence from the full graph"):
        weights = node_weights(scene, recipe, taught, 0)
    full = confidence(scene.full.x, scene.full.adj, logits=taught.of(scene.full).logits)
    torch.testing.assert_close(weights, full[scene.nodes])


def test_the_released_influence_sums_over_as_many_first_nodes_as_are_observed() -> None:
    scene = Scene.of(Graph.from_data(make_data()), "inductive")
    recipe = resolve(method=InfGraND("reference"), training=SHORT, setting="inductive")
    with pytest.warns(UserWarning, match="takes the influence from the full graph"):
        weights = node_weights(scene, recipe, teach(scene, recipe, 0, []), 0)
    full, columns = scene.full, scene.nodes.numel()
    expected = infgrand(full.x, full.adj, variant="reference", columns=columns)[scene.nodes]
    assert torch.equal(weights, expected)
    assert not torch.equal(weights, infgrand(full.x, full.adj, variant="reference")[scene.nodes])
