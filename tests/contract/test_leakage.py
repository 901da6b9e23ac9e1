"""Nothing of a hidden node reaches training: every setting, method, influence and preprocessing.

The hidden part is changed (features, edges, labels, degrees) and every tensor that training reads must stay
as it was, to the bit. A method that is exported is covered by being exported. The one exception is named:
InfGraND's ``variant=reference`` takes its influence from the full graph, as published.
"""

import dataclasses
import functools
import warnings

import pytest
import torch
from torch_geometric.data import Data

from graphkd import influence, matching, methods, teachers, transforms
from graphkd.datasets import SETTINGS, Graph, Preprocessing, SettingView
from graphkd.datasets.setting import apply_setting
from graphkd.registry import catalogue, parameters_of
from graphkd.sparse import POOLINGS, Factored, SparseMatrix
from graphkd.spec import DistillSpec, resolve
from graphkd.training import Training
from graphkd.training.stages.node_weights import node_weights
from graphkd.training.stages.targets import compile_targets
from graphkd.training.stages.teacher import TeacherResult, train_teacher
from graphkd.training.stages.transform import transformed
from tests.conftest import make_data
from tests.contract.core import EVERY, SHORT_TRANSFORMS, TAUGHT
from tests.tiers import some_of

HIDING = [name for name, setting in SETTINGS.items() if setting.hides]
PREPROCESSING = [Preprocessing(), Preprocessing(row_normalize=True), Preprocessing(features="binary")]
KEYS: dict[str, list[dict[str, object]]] = {
    "betweenness": [{}, {"samples": 20}],
    "shuffled": [{}, {"base": "reliability"}, {"base": "infgrand_per_class"}],
}
WEIGHTED = [
    functools.partial(part, **keys)
    for name, part in catalogue(influence).items()
    for keys in KEYS.get(name, [{"variant": "reference"}, {}] if "variant" in parameters_of(part) else [{}])
]
SHORT = Training(max_epochs=2, patience=2)


def data_of(sparse: bool) -> Data:
    """Unlabelled nodes outside the masks, non-negative features; wide, sparse, with edge weights where asked."""
    data = make_data(num_nodes=90)
    if sparse:
        data.edge_weight = torch.rand(data.num_edges, generator=torch.Generator().manual_seed(1))
    data.x = data.x.abs() * (data.x > -0.5)
    for name in ("train_mask", "val_mask", "test_mask"):
        data[name][:15] = False
    if sparse:
        data.x = torch.cat([data.x, torch.zeros(90, 1000)], dim=1).to_sparse_csr()
    return data


def perturbed(data: Data, hidden: torch.Tensor) -> Data:
    """The same data, whose hidden nodes have other features, labels and twice the edges, to others too."""
    other = data.clone()
    x = data.x.clone() if data.x.layout == torch.strided else data.x.to_dense()
    x[hidden] = x[hidden].roll(3, dims=1) * 7 + 3  # no zero is left: which form costs less changes, too
    other.x = x if data.x.layout == torch.strided else x.to_sparse_csr()
    other.y = data.y.clone()
    other.y[hidden] = (data.y[hidden] + 1) % 3
    partner = torch.arange(hidden.numel() * 3)
    extra = torch.stack([hidden.repeat(3), partner])
    other.edge_index = torch.cat([data.edge_index, extra, extra.flip(0)], dim=1)
    if "edge_weight" in data:
        other.edge_weight = torch.cat([data.edge_weight, torch.full((2 * extra.shape[1],), 3.0)])
    return other


def tensors_of(part: object) -> list[torch.Tensor]:
    """Every tensor inside a result, however it is nested."""
    if isinstance(part, torch.Tensor):
        return [part]
    if isinstance(part, SparseMatrix):
        return [part.rowptr, part.col, part.value]
    if isinstance(part, Factored):
        return [*tensors_of(part.x), *tensors_of(part.operator)]
    if isinstance(part, list | tuple):
        return [tensor for item in part for tensor in tensors_of(item)]
    return (
        [tensor for item in vars(part).values() for tensor in tensors_of(item)]
        if hasattr(part, "__dict__")
        else []
    )


def training_tensors(
    data: Data, spec: DistillSpec, steps: Preprocessing
) -> tuple[list[torch.Tensor], SettingView]:
    """All that training reads: the observed graph, the teacher's output after two epochs, the targets."""
    view = apply_setting(Graph.from_data(data, steps), spec.setting, seed=5)
    teacher_result = train_teacher(view, spec, 0, [])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        targets = compile_targets(view, spec, teacher_result, 0)
    graph = view.observed
    seen = [graph.x, graph.adj.matrix, graph.y, graph.train, graph.val, graph.test, view.nodes]
    return tensors_of([*seen, teacher_result.output, targets]), view


@functools.cache
def two_scenes(setting: str) -> tuple[SettingView, SettingView, TeacherResult]:
    """Before and after the change, and one teacher for both: that it stays the same is tested for itself."""
    data, spec = data_of(False), resolve(setting=setting, training=SHORT)
    view = apply_setting(Graph.from_data(data), setting, seed=5)
    other = apply_setting(Graph.from_data(perturbed(data, view.hidden)), setting, seed=5)
    return view, other, train_teacher(view, spec, 0, [])


def label(part: functools.partial) -> str:
    return "-".join([part.func.__name__, *(str(value) for value in part.keywords.values())])


def unchanged(spec: DistillSpec, steps: Preprocessing, sparse: bool) -> bool:
    data = data_of(sparse)
    before, view = training_tensors(data, spec, steps)
    assert view.hidden.numel() == 5
    after, other = training_tensors(perturbed(data, view.hidden), spec, steps)
    assert not torch.equal(*(tensors_of(each.full.x)[-1] for each in (view, other)))
    assert len(before) == len(after) > 12
    return all(torch.equal(one, two) for one, two in zip(before, after, strict=True))


@pytest.mark.parametrize("setting", HIDING)
@pytest.mark.parametrize("steps", PREPROCESSING, ids=str)
@pytest.mark.parametrize("method", EVERY)
@pytest.mark.parametrize("sparse", [False, True])
def test_no_method_sees_what_is_hidden(method: str, steps: Preprocessing, setting: str, sparse: bool) -> None:
    teacher = catalogue(methods)[method].needs_teacher or "gcn"
    assert unchanged(resolve(teacher, method=method, setting=setting, training=SHORT), steps, sparse)


@pytest.mark.parametrize("setting", HIDING)
@pytest.mark.parametrize("pooling", POOLINGS[1:])
@pytest.mark.parametrize("sparse", [False, True])
def test_no_pooling_sees_what_is_hidden(pooling: str, setting: str, sparse: bool) -> None:
    spec = resolve(method=methods.InfGraND(pooling=pooling), setting=setting, training=SHORT)
    assert unchanged(spec, Preprocessing(), sparse)


@pytest.mark.parametrize("setting", HIDING)
@pytest.mark.parametrize("weights", WEIGHTED, ids=label)
@pytest.mark.parametrize("method", [name for name, part in catalogue(methods).items() if part.influence != "none"])
def test_no_influence_sees_what_is_hidden(method: str, weights: functools.partial, setting: str) -> None:
    spec = resolve(method=method, influence=weights, setting=setting, training=SHORT)
    *views, teacher_result = two_scenes(setting)
    before, after = (compile_targets(view, spec, teacher_result, 0) for view in views)
    assert len(tensors_of(before)) == len(tensors_of(after)) > 4
    assert all(torch.equal(*pair) for pair in zip(tensors_of(before), tensors_of(after), strict=True))
    assert torch.equal(*(node_weights(view, spec, teacher_result, 0) for view in views))


@pytest.mark.parametrize("weights", WEIGHTED, ids=label)
def test_no_influence_sees_labels_of_other_than_training_nodes(weights: functools.partial) -> None:
    spec = resolve(method="infgrand", influence=weights, training=SHORT)
    view, _, teacher_result = two_scenes("production")
    graph = view.observed
    y = (graph.y + 1) % 3
    y[graph.train] = graph.y[graph.train]
    other = dataclasses.replace(view, observed=dataclasses.replace(graph, y=y))
    assert torch.equal(*(node_weights(each, spec, teacher_result, 0) for each in (view, other)))


@pytest.mark.parametrize("setting", HIDING)
@pytest.mark.parametrize(
    "teacher",
    [
        pytest.param(name, marks=[pytest.mark.slow] * (name not in ("gcn", "gat", "sage")))
        for name in catalogue(teachers)
    ],
)
@pytest.mark.parametrize(
    "strategy",
    some_of(catalogue(matching), 2),
)
def test_no_teacher_and_no_matching_sees_what_is_hidden(teacher: str, strategy: str, setting: str) -> None:
    spec = resolve(teacher=teacher, matching=strategy, setting=setting, training=SHORT)
    assert unchanged(spec, Preprocessing(), False)


@pytest.mark.parametrize("teacher", [name for name in catalogue(teachers) if name != "vqgraph"])
def test_no_teacher_sees_what_is_hidden_with_one_matching(teacher: str) -> None:
    part = functools.partial(catalogue(teachers)[teacher], num_layers=3)
    assert unchanged(resolve(part, matching="last", setting="production", training=SHORT), Preprocessing(), False)


@pytest.mark.parametrize("setting", HIDING)
@pytest.mark.parametrize("name", [name for name in catalogue(transforms) if name != "none"])
@pytest.mark.parametrize("method", TAUGHT)
def test_no_transform_sees_what_is_hidden(method: str, name: str, setting: str) -> None:
    teacher, transform = catalogue(methods)[method].needs_teacher or "gcn", SHORT_TRANSFORMS.get(name, name)
    parts = {"method": method, "transform": transform, "matching": "last"}
    assert unchanged(resolve(teacher, setting=setting, training=SHORT, **parts), Preprocessing(), False)


@pytest.mark.parametrize("name", [name for name in catalogue(transforms) if name != "none"])
def test_no_transform_sees_labels_of_other_than_training_nodes(name: str) -> None:
    spec = resolve(transform=SHORT_TRANSFORMS.get(name, name), matching="last", training=SHORT)
    view, _, teacher_result = two_scenes("production")
    graph = view.observed
    y = (graph.y + 1) % 3
    y[graph.train] = graph.y[graph.train]
    if name == "ensemble":  # whose members' best epochs validation labels choose, as they do the teacher's
        y[graph.val] = graph.y[graph.val]
    other = dataclasses.replace(view, observed=dataclasses.replace(graph, y=y))
    before, after = (transformed(each, spec, teacher_result, 0).output for each in (view, other))
    assert all(torch.equal(*pair) for pair in zip(tensors_of(before), tensors_of(after), strict=True))


@pytest.mark.parametrize("setting", HIDING)
def test_the_exception_leaks_and_says_so(setting: str) -> None:
    spec = resolve(method=methods.InfGraND(variant="reference"), setting=setting, training=SHORT)
    assert spec.leaks
    if setting != "cold_start":  # where hidden nodes have no edges to change, their features alone count
        assert not unchanged(spec, Preprocessing(), False)
    view = apply_setting(Graph.from_data(data_of(False)), setting)
    with pytest.warns(UserWarning, match="takes the influence from the full graph, hidden nodes included"):
        compile_targets(view, spec, train_teacher(view, spec, 0, []), 0)


def test_every_way_to_prepare_features_is_among_those_tested() -> None:
    """A new one fails here until it is added above."""
    tried = {field: {getattr(steps, field) for steps in PREPROCESSING} for field in vars(Preprocessing())}
    assert tried == {"features": {"stored", "binary"}, "row_normalize": {True, False}}


def test_the_test_can_fail() -> None:
    """A method that keeps a statistic of the whole graph is caught."""
    data = data_of(False)
    view = apply_setting(Graph.from_data(data), "production", seed=5)
    other = apply_setting(Graph.from_data(perturbed(data, view.hidden)), "production", seed=5)
    assert not torch.equal(view.full.x.mean(dim=0), other.full.x.mean(dim=0))
    assert torch.equal(view.observed.x.mean(dim=0), other.observed.x.mean(dim=0))
