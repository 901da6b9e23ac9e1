"""``schema.json``, which describes a bundle's exports to programs other than graphkd."""

import json
from pathlib import Path

import pytest

import graphkd
from graphkd import GraphKDError
from graphkd.atomic_io import sha256
from graphkd.deploy.exports.formats import export_bundle
from graphkd.deploy.exports.record import add_export
from graphkd.deploy.files import read_bundle
from tests.columns.tables import mixed
from tests.deploy.bundles import make_bundle, sample_of, student
from tests.deploy.table_bundles import CLASSES, TABLE, table_bundle


def schema_in(bundle: Path) -> dict:
    content = (bundle / "schema.json").read_bytes()
    assert json.loads((bundle / "exports.json").read_text())["schema_sha256"] == sha256(content)
    return json.loads(content)


def test_it_names_columns_classes_and_what_each_file_takes(tmp_path: Path) -> None:
    bundle, sample = table_bundle(tmp_path)
    export_bundle(bundle, "c", sample, allow_loss=True)
    add_export(read_bundle(bundle), "onnx", {"model.onnx": b"of an older version"}, {"parity": {}})
    found = schema_in(bundle)
    assert (found["version"], found["bundle_schema_version"]) == (1, 2)
    assert found["graphkd_version"] == graphkd.__version__
    assert found["weights_sha256"] == read_bundle(bundle).description["weights_sha256"]
    assert found["classes"] == CLASSES
    fills = TABLE.iloc[:120].mean()
    for column, name in zip(found["columns"], TABLE, strict=True):
        assert column.pop("fill") == pytest.approx(fills[name])
        assert column == {"name": name, "kind": "number", "missing": False}
    c, onnx = found["exports"]["c"], found["exports"]["onnx"]
    assert (c["rows"], c["not_in_file"], c["files"]) == ("raw", [], ["c/student.c", "c/student.h"])
    assert (c["names"], c["width"]) == (list(TABLE), 3)
    assert (onnx["rows"], onnx["not_in_file"], onnx["names"]) == ("prepared", ["columns"], list(TABLE))


def test_categories_and_their_features(tmp_path: Path) -> None:
    bundle, sample = table_bundle(tmp_path, mixed())
    export_bundle(bundle, "torch-export", sample)
    found = schema_in(bundle)
    kinds = {column["name"]: column["kind"] for column in found["columns"]}
    assert kinds == {
        "age": "number",
        "income": "number",
        "visits": "number",
        "city": "category",
        "member": "boolean",
        "joined": "date",
    }
    columns = {column["name"]: column for column in found["columns"]}
    assert columns["city"] == {
        "name": "city",
        "kind": "category",
        "categories": ["Basel", "Bern", "Genf"],
        "missing": False,
    }
    assert columns["member"]["categories"] == ["false", "true"]
    assert columns["age"]["missing"]
    taken = found["exports"]["torch-export"]
    assert taken["names"] == list(read_bundle(bundle).columns.names_out)
    assert (taken["rows"], taken["not_in_file"]) == ("prepared", ["columns"])


def test_a_student_without_names(tmp_path: Path) -> None:
    model = student()
    bundle = make_bundle(tmp_path, model)
    export_bundle(bundle, "torch-export", sample_of(model))
    found = schema_in(bundle)
    assert (found["columns"], found["classes"]) == (None, [0, 1, 2])
    assert found["exports"]["torch-export"] == {
        "rows": "raw",
        "names": None,
        "width": 5,
        "not_in_file": [],
        "files": ["model.pt2"],
    }


def test_a_changed_or_missing_one_is_refused(tmp_path: Path) -> None:
    model = student()
    bundle = make_bundle(tmp_path, model)
    export_bundle(bundle, "torch-export", sample_of(model))
    file = bundle / "schema.json"
    file.write_bytes(file.read_bytes().replace(b'"raw"', b'"war"'))
    with pytest.raises(GraphKDError, match=r"schema.json is truncated or was changed: export the bundle again"):
        read_bundle(bundle)
    file.unlink()
    with pytest.raises(GraphKDError, match=r"holds no readable schema.json: export the bundle again"):
        read_bundle(bundle)
