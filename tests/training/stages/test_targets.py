import functools
import itertools
from pathlib import Path

import pytest
import torch

from graphkd import GraphKDError, Training, methods
from graphkd.datasets import Graph, SettingView
from graphkd.datasets.setting import apply_setting
from graphkd.outofcore import TableOptions
from graphkd.registry import catalogue
from graphkd.spec import resolve
from graphkd.teachers import GCN
from graphkd.training.stages.node_weights import node_weights
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.targets import check_in_memory, compile_targets
from graphkd.training.stages.teacher import train_teacher
from tests.conftest import make_data

SHORT = Training(max_epochs=5, patience=5)


@pytest.fixture
def view() -> SettingView:
    return apply_setting(Graph.from_data(make_data()))


def test_the_teacher_is_frozen_and_the_targets_hold_no_edge(view: SettingView) -> None:
    teacher = functools.partial(GCN, num_layers=3)
    spec = resolve(teacher, method="infgrand", matching="forward", training=SHORT)
    teacher_result = train_teacher(view, spec, 0, [])
    targets = compile_targets(view, spec, teacher_result, 0)
    assert not teacher_result.output.logits.requires_grad
    assert [tuple(hop.shape) for hop in targets.hops] == [(60, 128), (60, 128)]
    tensors = [targets.inputs, targets.labels, targets.label_weight, targets.soft.table, *targets.hops]
    assert all(tensor.shape[0] == view.observed.num_nodes for tensor in tensors)


@pytest.mark.parametrize("influence", ["random_uniform", "shuffled"])
def test_the_run_s_seed_draws_the_weights_of_the_targets(view: SettingView, influence: str) -> None:
    spec = resolve(method=methods.InfGraND(delta1=0.0, delta2=1.0), influence=influence, training=SHORT)
    teacher_result, found = train_teacher(view, spec, 0, []), []
    train = view.observed.train
    for seed in range(5):
        targets = compile_targets(view, spec, teacher_result, seed)
        expected = node_weights(view, spec, teacher_result, seed)
        torch.testing.assert_close(targets.label_weight[train] * train.numel(), expected[train].double())
        found.append(targets.label_weight)
    assert not any(torch.equal(one, other) for one, other in itertools.combinations(found, 2))


COLUMN = 2 * 4 * 8 * 60 / 1e9
"""A budget in GB for one column of 60 nodes at a time."""

VARIANTS = [
    *((part, {}) for part in catalogue(methods).values() if part().is_plain and not part().moves_targets),
    *((methods.InfGraND, {"pooling": pooling, "variant": "reference"}) for pooling in ("max", "min", "concat")),
    (methods.InfGraND, {"kl": "reverse", "hops": 3}),
]


@pytest.mark.parametrize(("method", "settings"), VARIANTS)
def test_in_blocks_and_in_files_the_targets_are_the_same(
    view: SettingView, tmp_path: Path, method: type[methods.Method], settings: dict[str, object]
) -> None:
    spec = resolve("gcn", method=method(**settings), matching="forward", training=SHORT)
    teacher_result = train_teacher(view, spec, 0, [])
    whole = compile_targets(view, spec, teacher_result, 0)
    parts = compile_targets(view, spec, teacher_result, 0, StageCache(tmp_path, TableOptions(COLUMN)))
    assert torch.equal(parts.inputs, whole.inputs)
    assert torch.equal(parts.label_weight, whole.label_weight)
    assert (parts.soft is None) == (whole.soft is None)
    if parts.soft is not None and whole.soft is not None:
        assert torch.equal(parts.soft.table, whole.soft.table)
        assert torch.equal(parts.soft.row_weight, whole.soft.row_weight)
        assert parts.soft.constant == whole.soft.constant
        assert list(tmp_path.glob("tables/compile-*/soft"))


@pytest.mark.parametrize("name", ["dts", "normkd"])
def test_tables_in_files_are_refused_where_a_calibration_folds_again(name: str, tmp_path: Path) -> None:
    spec = resolve("gcn", method="glnn", calibration=name, training=SHORT)
    cache = StageCache(tmp_path, TableOptions(1.0))
    with pytest.raises(GraphKDError, match=f"calibration={name} folds its targets again.*leave memory_budget out"):
        check_in_memory(spec, cache)
    check_in_memory(resolve("gcn", method="glnn", calibration="fixed", training=SHORT), cache)
