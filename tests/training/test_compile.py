import functools

import pytest

from graphkd import Training
from graphkd.datasets import Graph, Scene
from graphkd.recipe import resolve
from graphkd.teachers import GCN
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
    taught = teach(scene, recipe, 0, [])
    targets = compile_targets(scene, recipe, taught, 0)
    assert not taught.output.logits.requires_grad
    assert [tuple(hop.shape) for hop in targets.hops] == [(60, 128), (60, 128)]
    tensors = [targets.inputs, targets.labels, targets.label_weight, targets.soft.table, *targets.hops]
    assert all(tensor.shape[0] == scene.observed.num_nodes for tensor in tensors)
