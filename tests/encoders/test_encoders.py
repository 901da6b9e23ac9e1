"""Encoders against formulas, and what a bundle replays."""

from pathlib import Path

import numpy as np
import pytest
import torch

import graphkd
from graphkd import GraphKDError, Training, encoders, methods
from graphkd.datasets import Graph, SettingView
from graphkd.datasets.setting import apply_setting
from graphkd.encoders import Encoding, Labels, NodeVectors, Positions, Propagated, Propagation, Raw
from graphkd.registry import catalogue
from graphkd.runs import SeedRun
from graphkd.sparse import Adjacency, SparseMatrix, beside
from graphkd.spec import resolve
from graphkd.testing.graphs import small_graph
from tests.conftest import make_data

SHORT = Training(max_epochs=3, patience=3)
SMALL = {"dim": 4, "walks": 2, "length": 6}
EVERY = [
    Raw(),
    Propagated(hops=1),
    Propagated(hops=2, pooling="concat"),
    Positions(**SMALL),
    Positions(**SMALL, features="none"),
    Positions(**SMALL, features="propagated", hops=1),
    Positions("laplacian", dim=3),
    Positions("random_walk", dim=3, features="propagated", pooling="concat"),
    Labels(decay=0.5, depth=2),
]


def literal_vectors(vectors: torch.Tensor, edges: torch.Tensor, nodes: list[int]) -> torch.Tensor:
    rows = []
    for node, number in enumerate(nodes):
        senders = [int(s) for s, r in edges.t().tolist() if r == node and nodes[int(s)] >= 0]
        known = [vectors[nodes[sender]].double() for sender in dict.fromkeys(senders)]
        arrived = torch.stack(known).mean(0) if known else torch.zeros(vectors.shape[1], dtype=torch.float64)
        rows.append(vectors[number].double() if number >= 0 else arrived)
    return torch.stack(rows)


def test_a_node_that_arrives_later_has_the_mean_of_its_observed_neighbours() -> None:
    generator = torch.Generator().manual_seed(0)
    vectors, edges = torch.randn(4, 3, generator=generator), torch.randint(7, (2, 20), generator=generator)
    edges = torch.cat(
        [edges[:, edges[1] != 6], torch.tensor([[4], [6]])], dim=1
    )  # node 6 hears of a new one alone
    nodes = [2, -1, 0, 3, -1, 1, -1]
    found = NodeVectors(vectors).of(Adjacency(edges, 7), torch.tensor(nodes))
    expected = literal_vectors(vectors, edges, nodes)
    torch.testing.assert_close(found.double(), expected, atol=1e-6, rtol=0)
    assert torch.equal(found[6], torch.zeros(3))


@pytest.mark.parametrize("encoder", EVERY, ids=repr)
def test_inputs_are_blocks_side_by_side(encoder: encoders.Encoder) -> None:
    graph = small_graph()
    encoding = encoder.fit(graph)
    table = encoding.table(graph.x, graph.adj)
    assert table.shape == (graph.num_nodes, encoder.width(graph.num_features, graph.num_classes))
    assert encoding.width(graph.num_features) == table.shape[1]
    assert encoding.raw_width(table.shape[1]) == (graph.num_features if encoding.propagation is not None else 0)
    assert encoding.reads == encoder.reads
    own = encoding.propagation
    expected = [] if own is None else [own.table(graph.x, graph.adj)]
    expected += [] if encoding.vectors is None else [encoding.vectors.vectors]
    assert torch.equal(table, torch.cat(expected, dim=1))


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_sparse_features_stay_sparse_beside_positions(pooling: str) -> None:
    dense = torch.randn(6, 40) * (torch.rand(6, 40) < 0.1)
    sparse, table = SparseMatrix.from_torch(dense.to_sparse_csr()), torch.randn(6, 3)
    both = beside(sparse, table)
    assert isinstance(both, SparseMatrix)
    assert torch.equal(both.to_dense(), torch.cat([dense, table], dim=1))
    adj = Adjacency(torch.tensor([[0, 1, 2, 3], [1, 2, 3, 4]]), 6)
    encoding = Encoding((Propagation(2, pooling=pooling), NodeVectors(table)))
    torch.testing.assert_close(encoding.mix(sparse, adj), encoding.mix(dense, adj))


@pytest.mark.parametrize("encoder", [Propagated(hops=1), Positions("random_walk", dim=3)], ids=repr)
@pytest.mark.parametrize("method", catalogue(methods))
def test_every_method_learns_from_any_inputs(method: str, encoder: encoders.Encoder) -> None:
    chosen = methods.SimMLP(pretrain_epochs=3) if method == "simmlp" else method
    teacher = catalogue(methods)[method].needs_teacher or "gcn"
    spec = resolve(teacher, method=chosen, encoder=encoder, training=SHORT)
    run = SeedRun.train(small_graph(), spec, 0)
    assert run.distilled.encoding.reads == encoder.reads
    assert all(tensor.isfinite().all() for tensor in run.distilled.model.state_dict().values())


def views(setting: str) -> tuple[SettingView, SettingView]:
    """A graph, and one whose hidden nodes have other features, labels and edges."""
    data = make_data(num_nodes=60)
    view = apply_setting(Graph.from_data(data), setting, 0)
    other = data.clone()
    other.x[view.hidden] += 5
    other.y[view.hidden] = (other.y[view.hidden] + 1) % 3
    extra = torch.stack([view.hidden, view.nodes[: view.hidden.numel()]])
    other.edge_index = torch.cat([data.edge_index, extra, extra.flip(0)], dim=1)
    return view, apply_setting(Graph.from_data(other), setting, 0)


@pytest.mark.parametrize("setting", ["production", "inductive", "cold_start"])
@pytest.mark.parametrize("encoder", EVERY, ids=repr)
def test_no_encoder_sees_what_is_hidden(encoder: encoders.Encoder, setting: str) -> None:
    observed = [view.observed for view in views(setting)]
    assert torch.equal(*(encoder.fit(graph).table(graph.x, graph.adj) for graph in observed))


def test_positions_read_neither_features_nor_labels() -> None:
    data = make_data(num_nodes=40)
    other = data.clone()
    other.x, other.y = other.x + 1, (other.y + 1) % 3
    vectors = [Positions(**SMALL).fit(Graph.from_data(each)).vectors for each in (data, other)]
    assert torch.equal(*(each.vectors for each in vectors if each is not None))


@pytest.mark.parametrize("encoder", EVERY, ids=repr)
def test_a_bundle_replays_what_was_scored(encoder: encoders.Encoder, tmp_path: Path) -> None:
    data = make_data(num_nodes=60)
    run = graphkd.distill(data, encoder=encoder, setting="production", training=SHORT)
    run.save(tmp_path / "run")
    model, view = graphkd.load_bundle(tmp_path / "run"), apply_setting(Graph.from_data(data), "production", 0)
    numbers = view.numbers.numpy()
    needs = {"edge_index": data.edge_index} if encoder.reads != "x" else {}
    needs |= {"nodes": numbers} if model.encoding.vectors is not None else {}
    proba = model.predict_proba(data.x, **needs)
    hits = proba.argmax(axis=1)[view.hidden] == data.y.numpy()[view.hidden]
    assert hits.mean() == pytest.approx(run.metrics["seeds"][0]["student"]["test_ind"])
    rows = model.prepare(data.x, **needs)
    light = graphkd.load_bundle(tmp_path / "run", "numpy")
    np.testing.assert_allclose(light.predict_proba(rows, propagated=True), proba, atol=1e-5)


def test_positions_of_known_nodes_are_looked_up_in_every_runtime(tmp_path: Path) -> None:
    data = make_data(num_nodes=60)
    run = graphkd.distill(data, encoder=Positions(**SMALL), training=SHORT)
    run.save(tmp_path / "run")
    full = run.predictor.predict_proba(data.x, nodes=np.arange(60))
    light = graphkd.load_bundle(tmp_path / "run", "numpy")
    np.testing.assert_allclose(light.predict_proba(data.x[[5, 7]], nodes=[5, 7]), full[[5, 7]], atol=1e-6)
    new = run.predictor.predict_proba(data.x[:2], nodes=[-1, -1])
    np.testing.assert_allclose(light.predict_proba(data.x[:2], nodes=[-1, -1]), new, atol=1e-6)
    assert not np.allclose(new, full[:2], atol=1e-6)


@pytest.mark.parametrize("setting", ["transductive", "production"])
def test_a_graph_without_features_runs_on_positions_alone(setting: str, tmp_path: Path) -> None:
    data = make_data(num_nodes=60)
    data.x = None
    encoder = Positions(**SMALL, features="none")
    run = graphkd.distill(data, encoder=encoder, setting=setting, training=SHORT)
    run.save(tmp_path / "run")
    assert run.student.layers[0].in_features == 4
    model, view = graphkd.load_bundle(tmp_path / "run"), apply_setting(Graph.from_data(data), setting, 0)
    proba = model.predict_proba(None, data.edge_index, nodes=view.numbers)
    hits = proba.argmax(axis=1)[data.test_mask] == data.y.numpy()[data.test_mask]
    if setting == "transductive":
        assert hits.mean() == pytest.approx(run.metrics["mean"]["student_test"])
    with pytest.raises(GraphKDError, match=r"data\.x is missing: give features, or choose encoder=positions"):
        graphkd.distill(data, setting=setting, training=SHORT)


def test_mistakes_with_positions_are_one_line(tmp_path: Path) -> None:
    data = make_data(num_nodes=60)
    run = graphkd.distill(data, encoder=Positions(**SMALL), training=SHORT)
    run.save(tmp_path / "run")
    wrong = {
        "reads positions: pass nodes=": {},
        r"nodes must be \[60\] whole numbers": {"nodes": [0, 1]},
        "nodes holds 60": {"nodes": np.arange(1, 61)},
        "nodes holds -2": {"nodes": np.full(60, -2)},
        "whole numbers, but is float": {"nodes": np.zeros(60)},
    }
    for model in (run.predictor, graphkd.load_bundle(tmp_path / "run", "numpy")):
        for message, keys in wrong.items():
            with pytest.raises(GraphKDError, match=message) as caught:
                model.predict(data.x, **keys)
            assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("encoder", "keys"),
    [
        (Propagated, {"hops": -1}),
        (Propagated, {"hops": 1.5}),
        (Propagated, {"self_loops": -1}),
        (Propagated, {"pooling": "sum"}),
        (Positions, {"kind": "spectral"}),
        (Positions, {"features": "all"}),
        (Positions, {"dim": 0}),
        (Positions, {"p": 0.0}),
        (Positions, {"q": float("nan")}),
        (Positions, {"length": 1}),
        (Positions, {"seed": -1}),
        (Positions, {"walks": True}),
    ],
    ids=str,
)
def test_settings_outside_their_range(encoder: type, keys: dict[str, object]) -> None:
    with pytest.raises(GraphKDError, match=next(iter(keys))):
        encoder(**keys)


def test_a_run_computes_positions_once_for_student_and_baselines(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, compute = [], Positions.compute
    monkeypatch.setattr(Positions, "compute", lambda self, *given: calls.append(self) or compute(self, *given))
    for x in (make_data().x, None):
        data = make_data()
        data.x = x
        encoder = Positions(**SMALL, features="raw" if x is not None else "none")
        graphkd.distill(data, encoder=encoder, training=SHORT)
    assert len(calls) == 2
