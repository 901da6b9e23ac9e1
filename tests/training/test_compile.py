import functools
from pathlib import Path

import pytest
import torch

from graphkd import GraphKDError, Training
from graphkd.datasets import Graph, Scene
from graphkd.recipe import resolve
from graphkd.teachers import GCN
from graphkd.training.artefacts import Artefacts
from graphkd.training.compile import compile_targets
from graphkd.training.teach import teach
from tests.conftest import make_data

SHORT = Training(max_epochs=5, patience=5)


@pytest.fixture
def scene() -> Scene:
    return Scene.of(Graph.from_data(make_data()))


def test_the_teacher_is_frozen_and_the_targets_hold_no_edge(scene: Scene) -> None:
    teacher = functools.partial(GCN, num_layers=3)
    recipe = resolve(teacher, method="infgrand", matching="forward", training=SHORT)
    output = teach(scene, recipe, 0, []).output
    targets = compile_targets(scene, recipe, output)
    assert not output.logits.requires_grad
    assert [tuple(hop.shape) for hop in targets.hops] == [(60, 128), (60, 128)]
    tensors = [targets.inputs, targets.labels, targets.label_weight, targets.soft.table, *targets.hops]
    assert all(tensor.shape[0] == scene.observed.num_nodes for tensor in tensors)


def test_an_influence_is_computed_once_and_kept(scene: Scene, tmp_path: Path) -> None:
    recipe, cache = resolve(method="infgrand", training=SHORT), Artefacts(tmp_path)
    output = teach(scene, recipe, 0, []).output
    tables = [compile_targets(scene, recipe, output, cache).soft.table for _ in range(2)]
    assert torch.equal(*tables)
    (kept,) = (tmp_path / "stages").iterdir()
    assert kept.name.startswith("influence-")


@pytest.mark.parametrize("weights", [torch.ones(3), torch.full((60,), 1.5), torch.full((60,), torch.nan), None])
def test_an_influence_that_is_none(weights: torch.Tensor | None, scene: Scene) -> None:
    recipe = resolve(method="infgrand", influence=lambda x, adj: weights, training=SHORT)
    with pytest.raises(GraphKDError, match=r"influence must return a tensor \[60\] of weights between 0 and 1"):
        compile_targets(scene, recipe, teach(scene, recipe, 0, []).output)
