"""Rows by name: the same answers as lists in training order, and mistakes named by row and column."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphkd
from graphkd.deploy import FeatureStore, write_bundle
from graphkd.encoders import Encoding, Propagation
from tests.deploy.bundles import STEPS, student
from tests.deploy.server.conftest import Target
from tests.deploy.server.serving import ask, in_thread

NAMES = ["age", "height", "is_new", "ä b", "0"]
SIZES = {"num_features": 5, "hidden_dim": 7, "num_classes": 3, "num_layers": 3, "norm": "batch"}


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("named") / "bundle"
    write_bundle(folder, student(), SIZES, STEPS, Encoding(), ["x", "y", "z"], {"dataset": "x"}, NAMES)
    rows = np.random.default_rng(0).integers(-8, 9, (40, 5)).astype(np.float32) / 4
    with in_thread(folder) as port:
        yield Target(port, folder, graphkd.load_bundle(folder, "numpy"), rows)


def objects(rows: np.ndarray, names: list[str] = NAMES) -> list[dict[str, Any]]:
    return [dict(zip(names, row, strict=True)) for row in rows.tolist()]


def probabilities(answer: Any) -> np.ndarray:
    assert answer.status == 200, answer.body
    return np.array([each["probabilities"] for each in answer.json["predictions"]], dtype=np.float32)


def test_objects_are_answered_like_lists_in_any_order_of_their_keys(named: Target) -> None:
    want = named.model.predict_proba(named.rows)
    given = objects(named.rows)
    turned = [[*row.items()][at % 5 :] + [*row.items()][: at % 5] for at, row in enumerate(given)]
    shuffled = [dict(items) for items in turned]
    for rows in (named.rows.tolist(), given, shuffled):
        np.testing.assert_array_equal(probabilities(ask(named.port, "/predict", {"rows": rows})), want)
    np.testing.assert_array_equal(named.model.predict_proba(shuffled), want)


def test_truth_values_by_name_are_one_and_zero(named: Target) -> None:
    rows = [{**objects(named.rows)[0], "is_new": value} for value in (True, False, 1, 0)]
    found = probabilities(ask(named.port, "/predict", {"rows": rows}))
    np.testing.assert_array_equal(found[:2], found[2:])
    assert (found[0] != found[1]).any()


ROW = dict.fromkeys(NAMES, 0.5)
TEXT = json.dumps(ROW, ensure_ascii=False)
MISTAKES: dict[str, tuple[Any, str, str]] = {
    "an unknown name": ({"rows": [ROW, {**ROW, "agee": 1}]}, "rows.1.agee", "there is no such feature"),
    "another case": ({"rows": [{**ROW, "Age": 1}]}, "rows.0.Age", "there is no such feature"),
    "an empty name": ({"rows": [{**ROW, "": 1}]}, "rows.0.", "there is no such feature"),
    "a long name": ({"rows": [{**ROW, "x" * 10**6: 1}]}, f"rows.0.{'x' * 50}", "there is no such feature"),
    "a missing name": ({"rows": [ROW, {"age": 1}]}, "rows.1.height", "row 1 has no 'height'"),
    "no name": ({"rows": [{}]}, "rows.0.age", "row 0 has no 'age'"),
    "a text": ({"rows": [ROW, {**ROW, "age": "41"}]}, "rows.1.age", "column 'age' holds '41' in row 1, not a"),
    "a long text": ({"rows": [{**ROW, "age": "9" * 10**6}]}, "rows.0.age", "holds '9999999999"),
    "nothing": ({"rows": [{**ROW, "ä b": None}]}, "rows.0.ä b", "column 'ä b' holds nothing in row 0"),
    "a list": ({"rows": [{**ROW, "age": [1]}]}, "rows.0.age", "holds a list or an object: give one value"),
    "an object": ({"rows": [{**ROW, "age": {"x": 1}}]}, "rows.0.age", "holds a list or an object"),
    "NaN": (
        b'{"rows": [%s]}' % TEXT.replace('"age": 0.5', '"age": NaN').encode(),
        "rows.0.age",
        "no finite number",
    ),
    "1e999": (
        b'{"rows": [%s]}' % TEXT.replace('"age": 0.5', '"age": 1e999').encode(),
        "rows.0.age",
        "no finite number",
    ),
    "beyond float32": ({"rows": [{**ROW, "0": 1e39}]}, "rows.0.0", "holds 1e+39 in row 0, not a finite number"),
    "a huge whole number": ({"rows": [{**ROW, "age": 10**4000}]}, "rows.0.age", "holds a huge number"),
    "a name twice": (
        b'{"rows": [{"age":1,"height":1,"is_new":1,"\xc3\xa4 b":1,"0":1,"age":2}]}',
        "rows.0.age",
        "there twice",
    ),
    "a list after an object": ({"rows": [ROW, [1, 2, 3, 4, 5]]}, "rows.1", "as row 0 is: give rows of one kind"),
    "an object after a list": ({"rows": [[1, 2, 3, 4, 5], ROW]}, "rows.1", "as row 0 is: give rows of one kind"),
    "a number after an object": ({"rows": [ROW, 3]}, "rows.1", "input should be an object"),
    "neither": ({"rows": ["age"]}, "rows.0", "or an object by name"),
    "one object": ({"rows": ROW}, "rows", "valid array"),
    "names beside names": ({"rows": [ROW], "columns": NAMES}, "columns", "leave it out"),
    "propagated": ({"rows": [ROW], "propagated": True}, "propagated", "nothing to propagate"),
    "a million names": ({"rows": [dict.fromkeys(map(str, range(3 * 10**5)), 0)]}, "rows.0.1", "no such"),
    "a million objects": (b'{"rows":[{"age":[' + b"{}," * 10**6 + b"{}]}]}", "rows.0.age", "holds a list"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_in_rows_by_name_are_named(named: Target, mistake: str) -> None:
    body, field, text = MISTAKES[mistake]
    answer = ask(named.port, "/predict", body, headers={"Content-Type": "application/json"})
    assert (answer.status, answer.json.get("field")) == (422, field), answer.body[:500]
    assert text in answer.json["error"], answer.body
    assert answer.json["error"].count("\n") == 0
    assert len(answer.body) < 400


def test_a_student_without_names_takes_no_objects(raw: Target) -> None:
    answer = ask(raw.port, "/predict", {"rows": [ROW]})
    assert (answer.status, answer.json["field"]) == (422, "rows.0")
    assert "knows no names of features: send lists of numbers" in answer.json["error"]


def test_rows_by_name_with_their_neighbours(tmp_path: Path) -> None:
    sizes = {**SIZES, "num_features": 15}
    encoding = Encoding((Propagation(hops=2, pooling="concat"),))
    write_bundle(tmp_path / "b", student(num_features=15), sizes, STEPS, encoding, None, {"dataset": "x"}, NAMES)
    x = np.random.default_rng(0).standard_normal((6, 5)).astype(np.float32)
    edges = np.array([[0, 1, 2, 3], [1, 0, 3, 2]])
    with FeatureStore.for_bundle(tmp_path / "store", tmp_path / "b", x, edges) as store:
        made = store.row_for(x[0], [1, 3])
    want = graphkd.load_bundle(tmp_path / "b", "numpy").predict_proba(made[None], propagated=True)
    with in_thread(tmp_path / "b", store=str(tmp_path / "store")) as port:
        row = dict(reversed(objects(x[:1])[0].items()))
        found = probabilities(ask(port, "/predict", {"rows": [row], "neighbours": [[1, 3]]}))
        np.testing.assert_array_equal(found, want)
        answer = ask(port, "/predict", {"rows": [row], "propagated": True})
        assert (answer.status, answer.json["field"]) == (422, "propagated")
        assert "hops: send nodes" in ask(port, "/predict", {"rows": [row]}).json["error"]
