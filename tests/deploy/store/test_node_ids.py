"""Ids of the data: kept with their type, found among many, and refused in one line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from graphkd import GraphKDError
from graphkd.atomic_io import seal, sha256, write_json
from graphkd.deploy import FeatureStore
from graphkd.deploy.store.node_ids import IDS, NodeError

EDGES = [[0, 1, 1, 2], [1, 0, 2, 1]]
X = np.arange(8.0).reshape(4, 2)


def built(folder: Path, ids: Any) -> FeatureStore:
    return FeatureStore.build(folder / "store", X, EDGES, hops=1, node_ids=ids)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FeatureStore]:
    with built(tmp_path, ["u-0", "007", "é", "x" * 300]) as made:
        yield made


def test_nodes_are_found_by_id_after_the_store_was_opened_again(store: FeatureStore) -> None:
    for found in (store, FeatureStore(store.path)):
        assert found.numbers_of(["é", "u-0", "x" * 300]).tolist() == [2, 0, 3]
        assert found.number_of("007") == 1
        np.testing.assert_array_equal(found.rows(found.numbers_of(["é"])), found.rows([2]))
        assert found.node_ids is not None
        assert found.node_ids.ids == ("u-0", "007", "é", "x" * 300)


@pytest.mark.parametrize(
    ("ids", "kind", "types"),
    [
        (np.array([10, 3, 7, 0]), "number", int),
        (pd.Series(["a", "b", "c", "d"]), "text", str),
        ([7, "7", "x", 2**63], "both", None),
        ([b"a", b"b", b"c", b"d"], "text", str),
        (range(4), "number", int),
    ],
)
def test_texts_and_whole_numbers_keep_their_type(tmp_path: Path, ids: Any, kind: str, types: Any) -> None:
    built(tmp_path, ids).close()
    found = FeatureStore(tmp_path / "store").node_ids
    assert found is not None
    assert found.kind == kind
    assert [found.numbers[value] for value in found.ids] == [0, 1, 2, 3]
    assert types is None or {type(value) for value in found.ids} == {types}


def test_a_text_is_no_number_and_a_number_no_text(tmp_path: Path) -> None:
    with built(tmp_path, [7, "7", "x", 0]) as store:
        assert store.numbers_of([7, "7", 0, np.int64(7)]).tolist() == [0, 1, 3, 0]
        for unknown in (1, "0", True, 7.0, None):
            with pytest.raises(NodeError, match="there is no node with the id"):
                store.number_of(unknown)  # type: ignore[arg-type]


def test_new_nodes_are_found_by_number_where_ids_are_texts(store: FeatureStore) -> None:
    new = store.insert_node([1, 1], [0])
    assert store.numbers_of([new, "u-0"]).tolist() == [4, 0]
    store.delete_node(2)
    with pytest.raises(NodeError, match="the node with the id 'é' was deleted") as caught:
        store.numbers_of(["u-0", "é"])
    assert caught.value.index == 1
    with pytest.raises(NodeError, match="there is no node 5: the store has ids 0 to 4"):
        store.number_of(5)
    assert FeatureStore(store.path).number_of("007") == 1  # the manifest was written again, if it grew


def test_growth_keeps_the_ids(store: FeatureStore) -> None:
    for _ in range(40):
        store.insert_node([0, 1], [0, 1, 2])
    store.verify()
    assert FeatureStore(store.path).numbers_of(["é", 40]).tolist() == [2, 40]


def test_a_store_without_ids_is_as_before(tmp_path: Path) -> None:
    with built(tmp_path, None) as store:
        assert store.node_ids is None
        assert store.numbers_of([3, 0]).tolist() == [3, 0]
        with pytest.raises(NodeError, match="no node with the id 'a': its nodes have none"):
            store.number_of("a")
    assert "ids_sha256" not in json.loads((tmp_path / "store" / "manifest.json").read_text())
    assert not (tmp_path / "store" / IDS).exists()


MISTAKES = {
    "too few": (["a", "b"], "has 2 entries for 4 nodes"),
    "twice": (["a", "b", "a", "c"], "holds 'a' twice"),
    "nothing": (["a", None, "b", "c"], "holds None of type NoneType in row 1"),
    "a fraction": ([1, 2, 3, 4.5], "holds 4.5 of type float in row 3"),
    "a truth value": ([True, False, 1, 0], "holds True of type bool in row 0"),
    "a date": (np.array(["2024-01-01"] * 4, dtype="M8[D]"), "of type datetime in row 0"),
    "a huge number": ([1, 2, 3, 10**5000], "holds a huge number of type int in row 3"),
    "a half of a character": (["a", "b", "c", "\ud800"], "no UTF-8 text"),
    "a table": (np.eye(4), "must hold one text or number per entry"),
    "masked": (np.ma.array([1, 2, 3, 4], mask=[0, 1, 0, 0]), "masked values"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_other_ids_are_refused_and_nothing_is_written(tmp_path: Path, mistake: str) -> None:
    ids, message = MISTAKES[mistake]
    with pytest.raises(GraphKDError) as caught:
        built(tmp_path, ids)
    assert message in str(caught.value)
    assert "node_ids" in str(caught.value)
    assert not (tmp_path / "store").exists()


def forged(folder: Path, content: bytes) -> None:
    """Puts a content with a right digest in the place of the ids."""
    (folder / IDS).write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["checksum"]
    manifest["ids_sha256"] = sha256(content)
    write_json(folder / "manifest.json", {**manifest, "checksum": seal(manifest)})


DAMAGED = [
    *(b"", b"{}", b"[1.5]", b"[null]", b'["a", "a"]', b"[[1]]", b"[true]", b'["a"', b"[" * 10**5, b"\xff"),
    *(json.dumps(list(range(99))).encode(), b"[1" + b"0" * 5000 + b"]", b"[NaN]", b"[" + b"9" * 30 + b"]"),
]


@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
def test_a_file_that_holds_no_ids_is_refused(tmp_path: Path, content: bytes) -> None:
    built(tmp_path, list("abcd")).close()
    forged(tmp_path / "store", content)
    with pytest.raises(GraphKDError, match=r"ids.json does not hold an id per node: build the store again"):
        FeatureStore(tmp_path / "store").number_of("a")


@pytest.mark.parametrize("change", [b"", b'["a","b","c","e"]', None])
def test_a_changed_or_missing_file_is_found(tmp_path: Path, change: bytes | None) -> None:
    built(tmp_path, list("abcd")).close()
    file = tmp_path / "store" / IDS
    file.unlink() if change is None else file.write_bytes(change)
    for ask in (lambda store: store.number_of("a"), FeatureStore.verify):
        with pytest.raises(GraphKDError, match=r"ids.json (cannot be read|is truncated or was changed)"):
            ask(FeatureStore(tmp_path / "store"))
