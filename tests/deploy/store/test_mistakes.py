"""What a user can get wrong, each in one line that changes nothing."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from graphkd import GraphKDError
from graphkd.atomic_io import seal
from graphkd.deploy import FeatureStore

EDGES = [[0, 1, 1, 2], [1, 0, 2, 1]]


def make(path: Path, weighted: bool = False) -> FeatureStore:
    weight = [0.5, 0.5, 2.0, 2.0] if weighted else None
    store = FeatureStore.build(path, np.ones((4, 2)), EDGES, weight, hops=2)
    store.delete_node(3)
    return store


MISTAKES: dict[str, tuple[Callable[[FeatureStore], object], str]] = {
    "unknown node": (lambda s: s.row(9), "there is no node 9: the store has ids 0 to 3"),
    "negative id": (lambda s: s.row(-1), "there is no node -1"),
    "deleted node": (lambda s: s.row(3), "node 3 was deleted: its id is not used again"),
    "deleted among others": (lambda s: s.rows([0, 3]), "node 3 was deleted"),
    "truth value": (lambda s: s.row(True), "node is True: give one node id"),
    "fractions": (lambda s: s.rows([0.5]), "nodes must be a list of node ids, but is float64"),
    "unknown neighbour": (lambda s: s.row_for([1, 2], [0, 7]), "there is no node 7"),
    "narrow row": (lambda s: s.row_for([1], [0]), "x must be one row [2], but has shape [1]"),
    "two rows for one": (lambda s: s.insert_node(np.ones((2, 2))), "x must be one row [2], but has shape [2, 2]"),
    "NaN": (lambda s: s.insert_node([np.nan, 1.0]), "x holds NaN or infinite values"),
    "too large": (lambda s: s.insert_node([1e300, 1.0]), "x holds NaN or infinite values"),
    "words": (lambda s: s.insert_node(["a", "b"]), "x is no table of numbers"),
    "deleted twice": (lambda s: s.delete_node(3), "node 3 was deleted"),
    "no such edge": (lambda s: s.delete_edges([[0], [2]]), "there is no edge from 0 to 2"),
    "one of two is not there": (lambda s: s.delete_edges([[0, 0], [1, 2]]), "there is no edge from 0 to 2"),
    "edge to a deleted node": (lambda s: s.insert_edges([[0], [3]]), "node 3 was deleted"),
    "flat edges": (lambda s: s.insert_edges([0, 1]), "edge_index must be [2, E], but has shape [2]"),
    "fractional edges": (lambda s: s.insert_edges([[0.5], [1]]), "edge_index must hold whole numbers"),
    "unwanted weights": (lambda s: s.insert_edges([[0], [2]], [1.0]), "have no weights: leave edge_weight out"),
    "too few rows": (lambda s: s.update_features([0, 1], [[1, 2]]), "x must hold one row per node [2]"),
    "wide rows": (lambda s: s.update_features([0], [[1, 2, 3]]), "x must be [rows, 2], but has shape [1, 3]"),
}

WEIGHTED: dict[str, tuple[Callable[[FeatureStore], object], str]] = {
    "no weights": (lambda s: s.insert_edges([[0], [2]]), "have weights: give edge_weight, one per edge"),
    "negative": (lambda s: s.insert_edges([[0], [2]], [-1.0]), "edge_weight holds -1.0"),
    "infinite": (lambda s: s.row_for([1, 2], [0], [np.inf]), "weights holds inf for edge 0"),
    "too many": (lambda s: s.insert_node([1, 2], [0], [1.0, 2.0]), "weights has shape [2] for 1 edges"),
    "both directions": (
        lambda s: s.insert_edges([[0, 2], [2, 0]], [1.0, 2.0]),
        "the edge 0 to 2 is listed twice (both directions are the same edge)",
    ),
    "a neighbour twice": (lambda s: s.insert_node([1, 2], [0, 0], [1.0, 2.0]), "neighbours are listed twice"),
}


@pytest.mark.parametrize("weighted", [False, True])
def test_mistakes(weighted: bool, tmp_path: Path) -> None:
    store = make(tmp_path / "s", weighted)
    before = store.rows([0, 1, 2])
    for name, (call, message) in (WEIGHTED if weighted else MISTAKES).items():
        with pytest.raises(GraphKDError, match=re.escape(message)) as caught:
            call(store)
        assert "\n" not in str(caught.value), name
    np.testing.assert_array_equal(store.rows([0, 1, 2]), before)
    store.verify()


def test_nothing_to_do(tmp_path: Path) -> None:
    store = make(tmp_path / "s")
    before = store.rows([0, 1, 2])
    for call in (store.insert_edges, store.delete_edges):
        call(np.zeros((2, 0)))
    store.update_features([], np.zeros((0, 2)))
    store.insert_edges(EDGES)  # all are there
    np.testing.assert_array_equal(store.rows([0, 1, 2]), before)
    assert store.rows([]).shape == (0, 2)


BUILDS: dict[str, tuple[dict, str]] = {
    "one direction": ({"edge_index": [[0], [1]]}, "list both directions, or pass directed=True"),
    "outside": ({"edge_index": [[0, 9], [9, 0]]}, "edge_index names nodes 0 to 9, but x has rows 0 to 3"),
    "negative weight": ({"edge_weight": [1.0, 1.0, 1.0, -1.0]}, "edge_weight holds -1.0"),
    "hops": ({"hops": -1}, "hops is -1: it must be a whole number from 0"),
    "pooling": ({"pooling": "sum"}, "pooling is 'sum': choose one of mean, max, min, concat"),
    "flat": ({"x": [1.0, 2.0]}, "x must be [rows, features], but has shape [2]"),
    "directed": ({"directed": "no"}, "directed is 'no': choose True or False"),
}


@pytest.mark.parametrize("name", BUILDS)
def test_mistakes_in_building(name: str, tmp_path: Path) -> None:
    changes, message = BUILDS[name]
    with pytest.raises(GraphKDError, match=re.escape(message)):
        FeatureStore.build(tmp_path / "s", **{"x": np.ones((4, 2)), "edge_index": EDGES, "hops": 2, **changes})
    assert not [*tmp_path.iterdir()]


def test_a_path_that_is_taken(tmp_path: Path) -> None:
    with pytest.raises(GraphKDError, match="is there already: delete it, or choose another path"):
        make(tmp_path)
    with pytest.raises(GraphKDError, match="is not a feature store: it holds no manifest.json"):
        FeatureStore(tmp_path, write=True)


def edited(path: Path, resealed: bool, **changes: object) -> None:
    content = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({**content, "checksum": seal(content)} if resealed else content))


def flipped(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "another version": (
        lambda p: edited(p / "manifest.json", True, schema_version=2),
        "has feature store schema version 2, this graphkd reads version 1",
    ),
    "edited manifest": (lambda p: edited(p / "manifest.json", False, capacity=5), "was changed after it was"),
    "cut off": (lambda p: (p / "hops").write_bytes(b"1"), "hops is cut off (1 of"),
    "missing": (lambda p: (p / "nodes").unlink(), "holds no nodes: build the store again"),
    "a bit of a row": (lambda p: flipped(p / "hops", 13), "is damaged at node 0 (1 in all): build it again"),
    "a bit of a degree": (lambda p: flipped(p / "nodes", 1), "is damaged at node 0 (1 in all): build it again"),
    "a bit of a neighbour": (lambda p: flipped(p / "in.entries-1", 0), "is damaged at node 0"),
    "a bit of a length": (lambda p: flipped(p / "in.index-1", 8), "is damaged at node 0"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_files(damage: str, tmp_path: Path) -> None:
    break_it, message = DAMAGE[damage]
    FeatureStore.build(tmp_path / "s", np.ones((4, 2)), EDGES, hops=2).close()
    FeatureStore(tmp_path / "s").verify()
    break_it(tmp_path / "s")
    with pytest.raises(GraphKDError, match=re.escape(message)):
        FeatureStore(tmp_path / "s").verify()
