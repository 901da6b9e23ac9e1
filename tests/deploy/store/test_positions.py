"""Rows with positions: nodes of training keep the bundle's vectors, others have the mean of their neighbours'."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from graphkd import GraphKDError, load_bundle
from graphkd.deploy import FeatureStore
from graphkd.deploy.store import disk
from graphkd.deploy.store.build import build
from graphkd.deploy.store.layout import position_type
from graphkd.deploy.store.settings import Settings, settings_of
from graphkd.encoders import Encoding, NodeVectors, Propagation
from tests.deploy.bundles import make_bundle, student
from tests.deploy.store import graphs

DIM = 2
TOLERANCE = {"rtol": 0, "atol": 2e-6}
PLAIN = {"self_loops": 1, "pooling": "mean", "features": "stored", "row_normalize": False}


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk.os, "fsync", lambda handle: None)


class Twin(graphs.Twin):
    """With vectors of some nodes; the mean of a node's neighbours is taken one by one."""

    def __init__(self, size: int, chosen: dict[str, Any], seed: int) -> None:
        super().__init__(size, chosen, seed)
        rng = np.random.default_rng(seed)
        self.vectors = rng.standard_normal((size, DIM)).astype(np.float32)
        self.numbers = {node: int(number) for node, number in enumerate(rng.permutation(size)) if number % 3}

    def remove(self, node: int) -> None:
        super().remove(node)
        self.numbers.pop(node, None)

    def nodes(self) -> list[int]:
        return [self.numbers.get(node, -1) for node in self.ids]

    def positions(self) -> NDArray[np.float64]:
        found = []
        for node in self.ids:
            of = [node] if node in self.numbers else [a for a, b in self.edges if b == node and a in self.numbers]
            vectors = [self.vectors[self.numbers[each]].astype(np.float64) for each in of]
            found.append(sum(vectors) / len(vectors) if vectors else np.zeros(DIM))
        return np.array(found).reshape(-1, DIM)

    def rows(self) -> NDArray[np.float64]:
        return np.concatenate([super().rows(), self.positions()], axis=1)

    def build(self, path: Path) -> FeatureStore:
        weight = np.array(list(self.edges.values())) if self.weighted else None
        x = np.array([self.x[node] for node in self.ids], dtype=np.float32).reshape(-1, graphs.WIDTH)
        chosen = Settings(graphs.WIDTH, **self.settings, dim=DIM)
        build(path, chosen, x, self.edge_index(renumbered=True), weight, self.vectors, self.nodes())
        return FeatureStore(path, write=True)


@settings(max_examples=15)
@given(
    graphs.settings(),
    st.integers(1, 9),
    st.integers(0, 2**31),
    st.lists(st.tuples(st.sampled_from(graphs.KINDS), st.integers(0, 2**31)), max_size=10),
)
def test_updates_leave_what_a_full_recompute_gives(
    chosen: dict, size: int, seed: int, steps: list[tuple[str, int]]
) -> None:
    twin = Twin(size, chosen, seed)
    with TemporaryDirectory() as folder, twin.build(Path(folder) / "store") as store:
        np.testing.assert_allclose(store.rows(store.nodes), twin.rows(), **TOLERANCE)
        for kind, drawn in steps:
            graphs.step(store, twin, kind, drawn)
            np.testing.assert_allclose(store.rows(store.nodes), twin.rows(), **TOLERANCE)
        store.verify()
        for node in store.nodes.tolist():
            np.testing.assert_array_equal(store.row(node), store.rows([node])[0])
        with twin.build(Path(folder) / "anew") as anew:  # not only close: the same bits
            np.testing.assert_array_equal(store.rows(store.nodes), anew.rows(anew.nodes))


VECTORS = np.random.default_rng(5).standard_normal((9, DIM)).astype(np.float32)
MIXED = Propagation(2, 1, weighted=True, pooling="concat")
ENCODINGS = {"raw": (Propagation(),), "propagated": (MIXED,), "alone": ()}


def bundle_of(folder: Path, kind: str, vectors: NDArray[np.float32] = VECTORS) -> Path:
    encoding = Encoding((*ENCODINGS[kind], NodeVectors(torch.from_numpy(vectors))))
    return make_bundle(folder, student(num_features=encoding.width(graphs.WIDTH)), encoding=encoding)


@pytest.mark.parametrize("kind", ENCODINGS)
def test_rows_are_those_that_prepare_computes(kind: str, tmp_path: Path) -> None:
    """After every update, of a graph with weights, features or none, and nodes that were not in training."""
    bundle, hops = bundle_of(tmp_path, kind), 2 if kind == "propagated" else 0
    weighted = hops > 0
    twin = Twin(9, {**PLAIN, "hops": hops, "weighted": weighted, "directed": kind == "raw"}, seed=3)
    twin.vectors = VECTORS
    weight = np.array(list(twin.edges.values())) if weighted else None
    x, nodes = np.stack([twin.x[node] for node in twin.ids]), twin.nodes()
    model = load_bundle(bundle)
    with FeatureStore.for_bundle(
        tmp_path / "s", bundle, x, twin.edge_index(), weight, twin.settings["directed"], nodes
    ) as store:
        for number in range(25):
            weight = np.array(list(twin.edges.values()), dtype=np.float32) if weighted else None
            x = None if kind == "alone" else np.stack([twin.x[node] for node in twin.ids])
            expected = model.prepare(x, twin.edge_index(renumbered=True), weight, twin.nodes())
            np.testing.assert_allclose(store.rows(store.nodes), expected, rtol=1e-5, atol=1e-6)
            if kind != "alone" or number % 5 != graphs.KINDS.index("update_features"):
                graphs.step(store, twin, graphs.KINDS[number % 5], number)
        assert store.settings.width == expected.shape[1]
        assert store.settings == settings_of(bundle, twin.settings["directed"])
        assert FeatureStore(tmp_path / "s").settings == store.settings


def small(path: Path) -> FeatureStore:
    """Nodes 0 to 3 in a row, of which 0 and 2 are those of training."""
    edges = np.array([[0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2]])
    vectors = np.array([[1.0, 3.0], [-2.0, 5.0]], dtype=np.float32)
    build(path, Settings(1, 1, pooling="concat", dim=2), np.ones((4, 1)), edges, None, vectors, [1, -1, 0, -1])
    return FeatureStore(path, write=True)


def test_a_newcomer_has_the_mean_of_neighbours_from_training(tmp_path: Path) -> None:
    with small(tmp_path / "s") as store:
        assert store.rows([0, 1, 2, 3])[:, 2:].tolist() == [[-2, 5], [-0.5, 4], [1, 3], [1, 3]]
        for neighbours, expected in (([0, 2, 1, 0], [-0.5, 4]), ([1, 3], [0, 0]), ([], [0, 0])):
            row = store.row_for([2.0], neighbours)
            assert row[2:].tolist() == expected
            np.testing.assert_allclose(store.row(store.insert_node([2.0], neighbours)), row, atol=1e-6)
        store.delete_node(2)
        assert store.rows([1, 3, 4])[:, 2:].tolist() == [[-2, 5], [0, 0], [-2, 5]]
        store.insert_edges([[3], [0]])
        assert store.row(3)[2:].tolist() == [-2, 5]


def test_growth_keeps_positions(tmp_path: Path) -> None:
    with small(tmp_path / "s") as store:
        before = store.rows([0, 1, 2, 3])[:, 2:]
        capacity = store._writer.arrays.layout.capacity
        while store._writer.arrays.layout.capacity == capacity:
            last = store.insert_node([1.0], [])
        assert store.row(store.insert_node([1.0], [2, last]))[2:].tolist() == [1, 3]
        np.testing.assert_array_equal(store.rows([0, 1, 2, 3])[:, 2:], before)
        store.verify()


def test_a_deleted_node_s_position_is_erased(tmp_path: Path) -> None:
    store = small(tmp_path / "s")
    store.delete_node(0)
    store.close()
    content = b"".join(file.read_bytes() for file in sorted((tmp_path / "s").iterdir()))
    assert np.array([1.0, 3.0], dtype=np.float32).tobytes() in content
    assert np.array([-2.0, 5.0], dtype=np.float32).tobytes() not in content


@pytest.mark.parametrize("node", [0, 1])
def test_a_changed_position_is_found(node: int, tmp_path: Path) -> None:
    small(tmp_path / "s").close()
    with (tmp_path / "s/positions").open("r+b") as file:
        file.seek((node + 1) * position_type(2).itemsize - 1)
        file.write(b"\x01")
    with pytest.raises(GraphKDError, match=f"is damaged at node {node} "):
        FeatureStore(tmp_path / "s").verify()


def test_a_store_without_positions_is_as_older_versions_wrote_it(tmp_path: Path) -> None:
    FeatureStore.build(tmp_path / "plain", np.eye(2), [[0, 1], [1, 0]], hops=1).close()
    small(tmp_path / "s").close()
    fields = {
        name: set(json.loads((tmp_path / name / "manifest.json").read_text())["settings"])
        for name in ("plain", "s")
    }
    assert fields["s"] - fields["plain"] == {"dim"}
    assert not fields["plain"] & {"dim", "positions", "feature_names"}
    assert not (tmp_path / "plain/positions").exists()


def test_positions_of_another_training_make_another_store(tmp_path: Path) -> None:
    one, other = bundle_of(tmp_path / "one", "raw"), bundle_of(tmp_path / "other", "raw", VECTORS[::-1].copy())
    assert settings_of(one, False) == settings_of(one, False)
    assert settings_of(one, False) != settings_of(other, False)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        (
            None,
            r"reads positions: pass nodes=, the number of each row among the 9 nodes of training, −1 for a new",
        ),
        ([0, 1], r"nodes must be \[3\] whole numbers, but is int64 \[2\]"),
        ([0, 9, 1], "nodes holds 9: the nodes of training are 0 to 8, and −1 is a new node"),
    ],
)
def test_mistakes_leave_nothing(nodes: list[int] | None, message: str, tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path, "raw")
    with pytest.raises(GraphKDError, match=message):
        FeatureStore.for_bundle(tmp_path / "s", bundle, np.ones((3, 3)), np.zeros((2, 0), int), nodes=nodes)
    assert not (tmp_path / "s").exists()


def test_a_length_that_is_none_is_refused() -> None:
    for dim in (-1, 1.5, True):
        with pytest.raises(GraphKDError, match="dim is .*: it must be a whole number from 0"):
            Settings(2, 2, dim=dim)  # type: ignore[arg-type]
    with pytest.raises(GraphKDError, match="num_features is 0: it must be a whole number from 1"):
        Settings(0, 0)


def test_a_store_can_lose_its_last_node_and_be_built_without_any(tmp_path: Path) -> None:
    with FeatureStore.for_bundle(
        tmp_path / "s", bundle_of(tmp_path, "raw"), np.ones((0, 3)), np.zeros((2, 0), int), nodes=[]
    ) as store:
        assert store.rows([]).shape == (0, 5)
        assert store.row(store.insert_node([1.0, 2.0, 3.0])).tolist() == [1, 2, 3, 0, 0]
        store.delete_node(0)
        assert len(store) == 0
