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
from graphkd.deploy.store.new_ids import NEW_IDS
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


def test_nodes_that_are_inserted_later_have_ids_of_their_own(store: FeatureStore) -> None:
    reader = FeatureStore(store.path)
    assert reader.number_of("u-0") == 0
    for count in range(30):  # the files grow
        assert store.insert_node([1, 1], [0], node_id=f"new-{count}") == 4 + count
        assert reader.numbers_of([f"new-{count}", "é"]).tolist() == [4 + count, 2]
    assert store.insert_node([1, 1]) == 34
    assert FeatureStore(store.path).numbers_of(["new-0", "new-29", 34]).tolist() == [4, 33, 34]
    store.verify()


def test_the_id_of_a_deleted_node_may_be_used_again(store: FeatureStore) -> None:
    store.delete_node(store.number_of("é"))
    assert store.insert_node([1, 1], node_id="é") == 4
    store.delete_node(4)
    assert store.insert_node([1, 1], node_id="é") == 5
    for found in (store, FeatureStore(store.path)):
        assert found.number_of("é") == 5


@pytest.mark.parametrize(
    ("node_id", "message"),
    [
        ("u-0", "node 0 has the id 'u-0' already: give another one, or delete that node first"),
        ("later", "node 4 has the id 'later' already"),
        (7, "node_id is 7, but ids of this store are texts"),
        (1.5, "node_id holds 1.5 of type float"),
        ("\ud800", "no UTF-8 text"),
    ],
)
def test_an_id_that_cannot_be_given_changes_nothing(store: FeatureStore, node_id: Any, message: str) -> None:
    store.insert_node([1, 1], node_id="later")
    before = {file.name: file.read_bytes() for file in store.path.iterdir()}
    with pytest.raises(GraphKDError) as caught:
        store.insert_node([1, 1], node_id=node_id)
    assert message in str(caught.value)
    assert before == {file.name: file.read_bytes() for file in store.path.iterdir()}


def test_whole_numbers_are_ids_of_new_nodes_where_the_others_are(tmp_path: Path) -> None:
    with built(tmp_path, [70, 71, 72, 73]) as store:
        assert store.insert_node([1, 1], [0], node_id=80) == 4
        assert store.numbers_of([80, 71]).tolist() == [4, 1]
        with pytest.raises(GraphKDError, match="node_id is 'x', but ids of this store are numbers"):
            store.insert_node([1, 1], node_id="x")
    with (
        FeatureStore.build(tmp_path / "none", X, EDGES, hops=1) as store,
        pytest.raises(GraphKDError, match="this store has no ids of nodes: build it with node_ids"),
    ):
        store.insert_node([1, 1], node_id="x")


@pytest.mark.parametrize("content", [b'[4, "a", 1]\n', b"[]\n", b"\xff\n", b"[" * 10**5 + b"\n"])
def test_a_changed_file_of_new_ids_is_found(tmp_path: Path, content: bytes) -> None:
    with built(tmp_path, list("abcd")) as store:
        store.insert_node([1, 1], node_id="e")
    (tmp_path / "store" / NEW_IDS).write_bytes(content)
    for use in (
        lambda: FeatureStore(tmp_path / "store").number_of("e"),
        lambda: FeatureStore(tmp_path / "store").verify(),
        lambda: FeatureStore(tmp_path / "store", write=True),
    ):
        with pytest.raises(GraphKDError, match=r"new_ids.jsonl was changed: build the store again"):
            use()


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
