"""Raw rows, as somebody has them who knows only the file, against the bundle's own answer."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import scipy.sparse
import torch

import graphkd
from graphkd import load_bundle
from graphkd.datasets import Graph, Preprocessing
from graphkd.deploy.exports.formats import export_bundle
from graphkd.deploy.exports.record import add_export
from graphkd.deploy.exports.sample import Sample
from graphkd.deploy.exports.stamp import Stamp, quoted
from graphkd.deploy.files import Bundle, read_bundle
from tests.columns.tables import mixed
from tests.conftest import make_data
from tests.deploy.bundles import make_bundle, student
from tests.deploy.exports.test_c_source import build
from tests.deploy.table_bundles import table_bundle

STEPS = [Preprocessing("stored", True), Preprocessing("binary", False), Preprocessing("binary", True)]
BOUND = 1e-5
"""Of logits: some 40 products in 32 bits, each off by 2⁻²⁴ of numbers below 10."""


def raw_rows(count: int = 40, width: int = 12) -> np.ndarray:
    """Counts of words, one row without any, and numbers so small that their inverse needs 64 bits."""
    rng = np.random.default_rng(0)
    x = rng.integers(1, 9, (count, width)) * (rng.random((count, width)) < 0.3).astype(np.float32)
    x[3], x[4, :2] = 0, -1e-40
    return x.astype(np.float32)


def bundle_and_sample(folder: Path, steps: Preprocessing) -> tuple[Path, Sample]:
    bundle = make_bundle(folder, student(num_features=12), steps=steps)
    model, x = load_bundle(bundle), raw_rows()
    logits = model.student(model.prepare(x)).logits.detach()
    return bundle, Sample(x[:20], x[20:], logits[20:].argmax(1), logits.numpy(), "accuracy")


def answers(bundle: Path, made: dict[str, bytes], to: str, x: np.ndarray) -> np.ndarray:
    if to == "torch-export":
        return torch.export.load(io.BytesIO(made["model.pt2"])).module()(torch.from_numpy(x)).detach().numpy()
    (name,) = [name for name in made if name.endswith(".onnx")]
    return onnxruntime.InferenceSession(made[name]).run(None, {"rows": x})[0]


@pytest.mark.parametrize(
    "steps", [*(pytest.param(each, marks=pytest.mark.slow) for each in STEPS[:-1]), STEPS[-1]]
)
@pytest.mark.parametrize("to", ["onnx", "torch-export", "triton"])
def test_a_file_alone_takes_raw_rows(tmp_path: Path, to: str, steps: Preprocessing) -> None:
    bundle, sample = bundle_and_sample(tmp_path, steps)
    made, x = export_bundle(bundle, to, sample), raw_rows()
    found = answers(bundle, made.files, to, x)
    np.testing.assert_allclose(found, sample.logits, rtol=0, atol=BOUND)
    np.testing.assert_array_equal(found.argmax(1), load_bundle(bundle).predict(x))
    again = answers(bundle, made.files, to, found_rows(bundle, x))
    np.testing.assert_allclose(again, found, rtol=0, atol=BOUND)
    assert made.remarks[-1].startswith("takes raw rows: preprocessing (")


def found_rows(bundle: Path, x: np.ndarray) -> np.ndarray:
    """Prepared rows, which a second time does not change."""
    return load_bundle(bundle, "numpy").prepare(x)


@pytest.mark.slow
@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("runtime", ["onnx", "onnx-int8", "native", "native-int8"])
def test_our_runtimes_preprocess_in_the_file(
    tmp_path: Path, runtime: str, steps: Preprocessing, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, sample = bundle_and_sample(tmp_path, steps)
    export_bundle(bundle, "c" if "native" in runtime else runtime, sample, allow_loss=True)
    model, x = load_bundle(bundle, runtime), raw_rows()
    prepared = found_rows(bundle, x)
    monkeypatch.setattr("graphkd.deploy.row_predictor.preprocess", None)  # not a second time, in Python
    bound = BOUND if "int8" not in runtime else 0.5
    for rows in (x, scipy.sparse.csr_matrix(x)):
        np.testing.assert_allclose(model.logits(rows), sample.logits, rtol=0, atol=bound)
    np.testing.assert_allclose(model.logits(prepared, propagated=True), model.logits(x), rtol=0, atol=BOUND)


def test_older_files_take_prepared_rows(tmp_path: Path) -> None:
    """Nothing in their record states that preprocessing is inside."""
    bundle, sample = bundle_and_sample(tmp_path, Preprocessing("binary", True))
    plain = make_bundle(tmp_path / "plain", student(num_features=12))
    x = found_rows(bundle, raw_rows())
    old = export_bundle(plain, "onnx", Sample(x[:20], x[20:], sample.labels, sample.logits, "accuracy"))
    add_export(read_bundle(bundle), "onnx", old.files, {"parity": {}, "allow_loss": False})
    np.testing.assert_allclose(load_bundle(bundle, "onnx").logits(raw_rows()), sample.logits, rtol=0, atol=BOUND)


def test_every_file_states_what_it_takes(tmp_path: Path) -> None:
    bundle, sample = bundle_and_sample(tmp_path, Preprocessing("binary", True))
    files = {
        to: export_bundle(bundle, to, sample, True).files for to in ("onnx", "onnx-int8", "torch-export", "c")
    }
    wanted = Stamp.of(read_bundle(bundle)).metadata
    assert json.loads(wanted["class_names"]) == ["0", "1", "2"]
    for to, name in (("onnx", "model.onnx"), ("onnx-int8", "model.int8.onnx")):
        proto = onnx.load_from_string(files[to][name])
        assert {entry.key: entry.value for entry in proto.metadata_props} == wanted
    extra = {"graphkd.json": ""}
    torch.export.load(io.BytesIO(files["torch-export"]["model.pt2"]), extra_files=extra)
    assert json.loads(extra["graphkd.json"]) == wanted
    header = files["c"]["c/student.h"].decode()
    for line in ("#define GRAPHKD_BINARY 1", "#define GRAPHKD_ROW_NORMALIZE 1", "#define GRAPHKD_HOPS 0"):
        assert line in header
    assert "Rows: takes raw rows: preprocessing (binary features and row normalisation) is in the file." in header


@pytest.mark.slow
def test_files_name_the_columns_and_categories_of_a_table(tmp_path: Path) -> None:
    """Also those that would be code: in the header they are literals."""
    frame = mixed().rename(columns={"city": 'a "*/ #error\n'})
    bundle, sample = table_bundle(tmp_path, frame)
    made = {to: export_bundle(bundle, to, sample, True).files for to in ("triton", "c")}
    columns = json.loads(Stamp.of(read_bundle(bundle)).metadata["columns"])
    assert [column["name"] for column in columns] == list(frame)
    assert columns[3]["categories"] == ["Basel", "Bern", "Genf"]
    proto = onnx.load_from_string(made["triton"]["triton/student/1/model.onnx"])
    metadata = {entry.key: entry.value for entry in proto.metadata_props}
    assert json.loads(metadata["columns"]) == columns
    assert (metadata["rows"], metadata["columns_in_file"]) == ("prepared", "false")
    config = made["triton"]["triton/student/config.pbtxt"].decode()
    assert f'key: "columns" value {{ string_value: {quoted(metadata["columns"])}' in config
    main = '#include "student.h"\n#include <stdio.h>\nint main(void) { int i;'
    main += " for (i = 0; i < GRAPHKD_COLUMNS; i++) puts(graphkd_column_kinds[i]); puts(graphkd_column_names[3]);"
    main += ' for (i = 0; i < GRAPHKD_CATEGORIES; i++) printf("%d %s\\n", (int)graphkd_category_columns[i],'
    main += " graphkd_category_names[i]); return 0; }\n"
    sources = {name.removeprefix("c/"): content for name, content in made["c"].items()}
    found = build(tmp_path, {**sources, "main.c": main.encode()})
    kinds = [column["kind"] for column in columns]
    pairs = ["3 Basel", "3 Bern", "3 Genf", "4 false", "4 true"]
    assert found.splitlines() == [*kinds, 'a "*/ #error', "", *pairs]


def described(hops: int = 0, **steps: Any) -> Stamp:
    about = {
        "student": {"arguments": {"num_features": 2, "num_classes": 2}},
        "preprocessing": {"features": "stored", "row_normalize": False, **steps},
        "inputs": [{"name": "propagated", "hops": hops} if hops else {"name": "raw"}],
        "class_names": [True, 7],
        "feature_names": ["a", "b"],
    }
    return Stamp.of(Bundle(Path(), about, {}, {}, {}, {}))


def test_hops_leave_preprocessing_outside() -> None:
    found = described(2, row_normalize=True)
    assert (found.folded, found.record, found.metadata["rows"]) == (False, {}, "prepared")
    assert found.line == (
        "takes rows from prepare(): preprocessing (row normalisation) and 2 hops are not in the file"
    )
    assert described(1).line == "takes rows from prepare(): 1 hop is not in the file"
    assert described().line == "takes raw rows: the student has no preprocessing"
    assert (described().class_names, described().feature_names) == (("True", "7"), ("a", "b"))


def test_rows_of_a_graph_are_compared_raw(tmp_path: Path) -> None:
    """Those that somebody gives to the file, with the answer that the bundle has for them."""
    data, steps = make_data(), Preprocessing("stored", True)
    sizes = {"num_features": data.num_features, "num_classes": int(data.y.max()) + 1}
    model = load_bundle(make_bundle(tmp_path, student(**sizes), steps=steps))
    sample = Sample.of(model, Graph.from_data(data, steps))
    raw = data.x[torch.cat([data.train_mask.nonzero(), data.val_mask.nonzero()]).flatten()]
    np.testing.assert_array_equal(np.concatenate([sample.train, sample.val]), raw)
    proba = torch.from_numpy(sample.logits).softmax(1).numpy()
    np.testing.assert_allclose(proba, model.predict_proba(raw), rtol=0, atol=BOUND)


@pytest.mark.parametrize("name", ['oak "x"', "a\\b", "??=", "line\nbreak", "Ünï", "*/ #error"])
def test_names_are_no_code(name: str) -> None:
    text = quoted(name)
    assert text.isascii()
    assert "\n" not in text
    assert '"' not in text[1:-1]
    assert "?" not in text
    assert text[1:-1].encode().decode("unicode_escape").encode("latin1").decode() == name


def commands(file: str) -> list[str]:
    return [line[3:].strip().split("   ")[0] for line in file.splitlines() if line.startswith(" *     cc ")]


@pytest.mark.slow
def test_the_commands_in_the_c_files_work_as_written(tmp_path: Path) -> None:
    bundle, sample = bundle_and_sample(tmp_path, Preprocessing("binary", True))
    made = export_bundle(bundle, "c", sample, True).files
    main = '#include "student.h"\n#include <stdio.h>\n'
    main += "int main(void) { float x[GRAPHKD_FEATURES] = {3}, y[GRAPHKD_CLASSES];"
    main += " graphkd_logits(x, 1, y); graphkd_softmax(y, 1, y); puts(graphkd_class_names[0]); return 0; }\n"
    (tmp_path / "main.c").write_text(main)
    asked = []
    for end in "ch":
        text = made[f"c/student.{end}"]
        (tmp_path / f"student.{end}").write_bytes(text)
        asked += commands(text.decode())
    assert len(asked) == 3
    for command in dict.fromkeys(asked):
        strict = command.replace("cc ", "cc -Wall -Wextra -Werror ", 1)
        done = subprocess.run(strict, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_raw_rows_of_cora_get_the_bundle_s_answers_from_every_file(data_dir: Path, tmp_path: Path) -> None:
    """Cora's rows are normalised: a file that leaves this out agreed for 93 % of them."""
    data = graphkd.load_dataset("cora", data_dir, dense=True, download="never")
    run = graphkd.distill(data, training=graphkd.Training(max_epochs=60), baseline=False)
    run.save(tmp_path)
    rows = data.x.numpy()
    run.export(tmp_path, "onnx")
    logits = run.predictor.student(run.predictor.prepare(rows)).logits.detach().numpy()
    (file,) = tmp_path.rglob("model.onnx")
    found = onnxruntime.InferenceSession(str(file)).run(None, {"rows": rows})[0]
    np.testing.assert_allclose(found, logits, rtol=0, atol=1e-4)
    assert (found.argmax(axis=1) == logits.argmax(axis=1)).all()
    expected = run.predictor.predict_proba(rows)
    for runtime in ("onnx", "numpy"):
        np.testing.assert_allclose(load_bundle(tmp_path, runtime).predict_proba(rows), expected, rtol=0, atol=1e-5)
