"""A student of a raw table behind HTTP: rows by name, its card and its document."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import graphkd
from graphkd.columns import ColumnEncoding
from graphkd.deploy import FeatureStore, write_bundle
from graphkd.encoders import Encoding, Propagation
from tests.columns.tables import records
from tests.deploy.bundles import STEPS, make_bundle, student
from tests.deploy.server.conftest import Target
from tests.deploy.server.serving import ask, in_thread


def raw_table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.integers(20, 80, 40).astype(float),
            "income": 1e4 * rng.random(40),
            "city": np.array(["Bern", "Genève", "Zug"])[rng.integers(0, 3, 40)],
            "member": rng.random(40) < 0.5,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, 40), unit="D"),
            "constant": 1.0,
        }
    )
    frame.loc[:4, "income"] = np.nan
    return frame


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder, encoding = (
        tmp_path_factory.mktemp("encoded") / "bundle",
        ColumnEncoding.fit(raw_table(), np.arange(40)),
    )
    width = len(encoding.names_out)
    sizes = {"num_features": width, "hidden_dim": 7, "num_classes": 3, "num_layers": 3, "norm": "batch"}
    about = (["x", "y", "z"], {"dataset": "x"}, list(encoding.names_out), encoding)
    write_bundle(folder, student(num_features=width), sizes, STEPS, Encoding(), *about)
    with in_thread(folder) as port:
        yield Target(port, folder, graphkd.load_bundle(folder, "numpy"), np.empty(0))


def test_raw_rows_by_name_are_answered_as_the_frame_is(encoded: Target) -> None:
    frame = raw_table().drop(columns="constant")
    rows = records(frame)
    rows[7]["city"] = frame.loc[7, "city"] = "Basel"
    turned = [dict(reversed(row.items())) for row in rows]
    answer = ask(encoded.port, "/predict", {"rows": turned})
    assert answer.status == 200, answer.body
    found = [each["probabilities"] for each in answer.json["predictions"]]
    np.testing.assert_allclose(found, encoded.model.predict_proba(frame), rtol=1e-6)


def test_a_column_that_training_dropped_may_be_there(encoded: Target) -> None:
    rows = records(raw_table())[:2]
    assert ask(encoded.port, "/predict", {"rows": rows}).status == 200


ROW = {"age": 41, "income": 5000.5, "city": "Bern", "member": True, "since": "2021-05-06"}
MISTAKES: dict[str, tuple[Any, str, str]] = {
    "a text for a number": ({**ROW, "age": "41"}, "rows.1.age", "column 'age' holds '41' in row 1, not a number"),
    "a fraction for a category": ({**ROW, "city": 1.5}, "rows.1.city", "column 'city' holds 1.5 in row 1"),
    "a text for a boolean": ({**ROW, "member": "yes"}, "rows.1.member", "column 'member' holds 'yes' in row 1"),
    "no date": ({**ROW, "since": "06.05.2021"}, "rows.1.since", "column 'since' holds '06.05.2021' in row 1"),
    "a date out of range": ({**ROW, "since": "9021-05-06"}, "rows.1.since", "of the years 1700 to 2199"),
    "a number for a date": ({**ROW, "since": 5}, "rows.1.since", "column 'since' holds 5 in row 1, not a date"),
    "a list": ({**ROW, "city": ["Bern"]}, "rows.1.city", "holds a list or an object: give one value"),
    "NaN": ({**ROW, "age": float("nan")}, "rows.1.age", "no finite number"),
    "1e999": ({**ROW, "age": float("inf")}, "rows.1.age", "no finite number"),
    "a huge whole number": ({**ROW, "member": 10**4000}, "rows.1.member", "holds a huge number in row 1"),
    "too large": ({**ROW, "income": 1e300}, "rows.1.income", "a finite number that single precision can hold"),
    "an unknown name": ({**ROW, "City": "Bern"}, "rows.1.City", "there is no such feature"),
    "the name of a feature": ({**ROW, "city=Bern": 1}, "rows.1.city=Bern", "there is no such feature"),
    "a missing name": ({"age": 41}, "rows.1", "row 1 has no column 'income': give null"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_value_that_is_not_of_its_kind_is_named(encoded: Target, mistake: str) -> None:
    row, field, text = MISTAKES[mistake]
    answer = ask(encoded.port, "/predict", {"rows": [ROW, row]})
    assert (answer.status, answer.json.get("field")) == (422, field), answer.body
    assert text in answer.json["error"]


def test_lists_of_numbers_are_no_raw_rows(encoded: Target) -> None:
    for body in ({"rows": [[1.0] * encoded.model.num_features]}, {"rows": [[1.0]], "columns": ["age"]}):
        answer = ask(encoded.port, "/predict", body)
        assert (answer.status, answer.json["field"]) == (422, "rows.0")
        assert "this student encodes columns by name: send objects" in answer.json["error"]


def test_card_and_document_name_the_columns_with_an_example_that_is_answered(encoded: Target) -> None:
    card = ask(encoded.port, "/card").json
    kinds = {"age": "number", "income": "number", "city": "category", "member": "boolean", "since": "date"}
    assert card["columns"] == kinds
    assert card["feature_names"] == list(kinds)
    assert card["class_names"] == ["x", "y", "z"]
    (row,) = card["example"]["rows"]
    assert row["city"] == "Bern"
    assert 20 <= row["age"] < 80
    assert row["since"].startswith("202")
    assert ask(encoded.port, "/predict", card["example"]).status == 200
    schemas = ask(encoded.port, "/openapi.json").json["components"]["schemas"]
    assert schemas["Question"]["examples"] == [card["example"]]
    schema = schemas["Question"]["properties"]["rows"]["anyOf"][1]["items"]
    assert schema["required"] == list(kinds)
    assert schema["properties"]["city"]["examples"] == ["Bern", "Genève", "Zug"]
    assert schema["properties"]["constant"] == {}
    assert schemas["Prediction"]["properties"]["name"]["anyOf"][0]["enum"] == ["x", "y", "z"]


def test_examples_of_other_students_are_answered(raw: Target, hops: Target, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path, student(num_features=3), propagation=Propagation(hops=1))
    for ids in (["u-1", "u-2"], [30, 20]):
        store = tmp_path / f"store {ids[0]}"
        FeatureStore.for_bundle(store, bundle, np.eye(2, 3), [[0, 1], [1, 0]], node_ids=ids).close()
        with in_thread(bundle, store=str(store)) as port:
            example = ask(port, "/card").json["example"]
            assert example == {"nodes": ids[:1]}
            assert ask(port, "/predict", example).status == 200
            nodes = ask(port, "/openapi.json").json["components"]["schemas"]["Question"]["properties"]["nodes"]
            assert f"here every id is a {'text' if ids[0] == 'u-1' else 'whole number'}" in nodes["description"]
    for target, example in ((raw, {"rows": [[0.0] * 5]}), (hops, {"nodes": [0]})):
        assert ask(target.port, "/card").json["example"] == example
        assert ask(target.port, "/predict", example).status == 200


def test_a_student_of_many_features_has_no_example(tmp_path: Path) -> None:
    names = [f"word {index}" for index in range(300)]
    sizes = {"num_features": 300, "hidden_dim": 7, "num_classes": 3, "num_layers": 3, "norm": "batch"}
    write_bundle(
        tmp_path / "b", student(num_features=300), sizes, STEPS, Encoding(), None, {"dataset": "x"}, names
    )
    with in_thread(tmp_path / "b") as port:
        card = ask(port, "/card").json
        assert (card["example"], card["columns"], card["feature_names"]) == (None, None, names)
        schemas = ask(port, "/openapi.json").json["components"]["schemas"]
        rows = schemas["Question"]["properties"]["rows"]["anyOf"][1]["items"]
        assert rows["description"] == "by the names in /card"
        assert "examples" not in schemas["Question"]
        assert ask(port, "/predict", {"rows": [dict.fromkeys(names, 1)]}).status == 200
