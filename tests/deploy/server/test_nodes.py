"""Nodes by the ids of the data, and by numbers where there are none."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphkd
from graphkd.deploy import FeatureStore
from graphkd.encoders import Propagation
from tests.deploy.bundles import make_bundle, student
from tests.deploy.server.conftest import Target
from tests.deploy.server.serving import ask, in_thread

IDS = {"text": ["u-0001", "007", "é", "gone"], "number": [30, 0, 2**53, 7], "both": [7, "7", "é", "gone"]}


def serving(folder: Path, kind: str) -> Iterator[Target]:
    bundle = make_bundle(folder, student(num_features=12), propagation=Propagation(hops=2, pooling="concat"))
    x = np.random.default_rng(1).standard_normal((4, 4)).astype(np.float32)
    edges = np.array([[0, 1, 2, 1], [1, 0, 1, 2]])
    with FeatureStore.for_bundle(folder / "store", bundle, x, edges, node_ids=IDS[kind]) as store:
        store.delete_node(3)
        store.insert_node(x[3], [0])
    with in_thread(bundle, store=str(folder / "store")) as port:
        yield Target(port, bundle, graphkd.load_bundle(bundle, "numpy"), x, FeatureStore(folder / "store"))


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    yield from serving(tmp_path_factory.mktemp("text"), "text")


@pytest.fixture(scope="module")
def number(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    yield from serving(tmp_path_factory.mktemp("number"), "number")


def probabilities(port: int, body: dict[str, Any]) -> np.ndarray:
    answer = ask(port, "/predict", body)
    assert answer.status == 200, answer.body
    return np.array([each["probabilities"] for each in answer.json["predictions"]], dtype=np.float32)


def rows_of(target: Target, numbers: list[int]) -> np.ndarray:
    assert target.store is not None
    return target.model.predict_proba(target.store.rows(numbers), propagated=True)


def test_texts_are_ids_and_numbers_are_those_of_the_store(text: Target) -> None:
    found = probabilities(text.port, {"nodes": ["é", "u-0001", 4, 1]})
    np.testing.assert_array_equal(found, rows_of(text, [2, 0, 4, 1]))
    assert ask(text.port, "/card").json["node_ids"] == "text"


def test_whole_numbers_are_ids_where_the_data_has_such(number: Target) -> None:
    found = probabilities(number.port, {"nodes": [2**53, 30, 0]})
    np.testing.assert_array_equal(found, rows_of(number, [2, 0, 1]))
    assert ask(number.port, "/card").json["node_ids"] == "number"
    tensor = {"name": "nodes", "shape": [2], "datatype": "INT64", "data": [30, 0]}
    answer = ask(number.port, "/v2/models/student-nodes/infer", {"inputs": [tensor]})
    np.testing.assert_allclose(answer.json["outputs"][0]["data"], rows_of(number, [0, 1]).ravel(), rtol=1e-6)


def test_neighbours_are_ids_as_well(text: Target) -> None:
    assert text.store is not None
    body = {"rows": text.rows[:1].tolist(), "neighbours": [["é", 4]]}
    row = text.store.row_for(text.rows[0], [2, 4])
    want = text.model.predict_proba(row[None], propagated=True)
    np.testing.assert_array_equal(probabilities(text.port, body), want)


ROW = [[0.5, 1, 0, 0]]
MISTAKES: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "an unknown text": (
        "text",
        {"nodes": ["é", "u-9"]},
        "nodes.1",
        "no node with the id 'u-9': the store has ids",
    ),
    "a text of digits": ("text", {"nodes": ["0"]}, "nodes.0", "no node with the id '0'"),
    "an empty text": ("text", {"nodes": [""]}, "nodes.0", "no node with the id ''"),
    "a long text": ("text", {"nodes": ["x" * 10**6]}, "nodes.0", f"no node with the id '{'x' * 40}'"),
    "a deleted node": ("text", {"nodes": ["gone"]}, "nodes.0", "the node with the id 'gone' was deleted"),
    "an unknown number": ("text", {"nodes": [0, 5]}, "nodes.1", "there is no node 5"),
    "no id": ("number", {"nodes": [1]}, "nodes.0", "no node with the id 1: the store has ids such as 30"),
    "a text among numbers": ("number", {"nodes": ["30"]}, "nodes.0", "no node with the id '30'"),
    "a fraction": ("number", {"nodes": [30.0]}, "nodes.0", "valid integer"),
    "a truth value": ("text", {"nodes": [True]}, "nodes.0", "valid integer"),
    "nothing": ("text", {"nodes": [None]}, "nodes.0", "valid integer"),
    "a list": ("text", {"nodes": [["é"]]}, "nodes.0", "valid integer"),
    "a neighbour": ("text", {"rows": ROW, "neighbours": [["u-9"]]}, "neighbours.0", "no node with the id 'u-9'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_in_ids_are_named(text: Target, number: Target, mistake: str) -> None:
    kind, body, field, message = MISTAKES[mistake]
    answer = ask((text if kind == "text" else number).port, "/predict", body)
    assert (answer.status, answer.json.get("field")) == (422, field), answer.body[:300]
    assert message in answer.json["error"]
    assert len(answer.body) < 300


def test_a_store_without_ids_knows_no_texts(hops: Target) -> None:
    answer = ask(hops.port, "/predict", {"nodes": ["a"]})
    assert (answer.status, answer.json["field"]) == (422, "nodes.0")
    assert "no node with the id 'a': its nodes have none" in answer.json["error"]
    assert ask(hops.port, "/card").json["node_ids"] is None
