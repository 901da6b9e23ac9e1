"""Files of students whose columns are only scaled: raw numbers in, the bundle's own answers out."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import scipy.sparse
import torch

from graphkd import GraphKDError, load_bundle
from graphkd.datasets import Preprocessing
from graphkd.deploy.exports.c_source import c_sources
from graphkd.deploy.exports.formats import export_bundle
from graphkd.deploy.exports.record import add_export
from graphkd.deploy.exports.stamp import Stamp
from graphkd.deploy.files import read_bundle
from graphkd.deploy.names import Encoded
from graphkd.deploy.network import network_of
from graphkd.deploy.row_predictor import Engine
from graphkd.deploy.runtimes.compiler import shared_library
from graphkd.deploy.runtimes.native import compiled_engine
from tests.columns.tables import mixed
from tests.deploy.bundles import STEPS, make_bundle, sample_of, student
from tests.deploy.exports.test_c_source import build
from tests.deploy.table_bundles import TABLE, raw, table_bundle

BOUND = 1e-5
"""Of logits below 10, as in ``test_stamp``."""


def engine_of(sources: dict[str, bytes], int8: bool) -> Engine:
    return compiled_engine(shared_library(b"\0".join(sources.values()), lambda: sources), 3, int8)


def answers(made: dict[str, bytes], to: str, x: np.ndarray) -> np.ndarray:
    if to == "c":
        sources = {name.removeprefix("c/"): content for name, content in made.items()}
        return engine_of(sources, False).logits(x)
    if to == "torch-export":
        return torch.export.load(io.BytesIO(made["model.pt2"])).module()(torch.from_numpy(x)).detach().numpy()
    (name,) = [name for name in made if name.endswith(".onnx")]
    return onnxruntime.InferenceSession(made[name]).run(None, {"rows": x})[0]


def logits_of(bundle: Path, frame: pd.DataFrame, dtype: str = "float32") -> np.ndarray:
    """In numpy, of the values as single precision has them."""
    return load_bundle(bundle, "numpy").logits(frame.astype(dtype))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("to", "numeric"),
    [
        ("onnx", "standard"),
        pytest.param("triton", "standard", marks=pytest.mark.slow),
        pytest.param("c", "standard", marks=pytest.mark.slow),
        ("c", "robust"),
        pytest.param("torch-export", "robust", marks=pytest.mark.slow),
    ],
)
def test_a_file_alone_takes_raw_numbers(tmp_path: Path, to: str, numeric: str) -> None:
    bundle, sample = table_bundle(tmp_path, numeric=numeric)
    made = export_bundle(bundle, to, sample)
    expected = logits_of(bundle, TABLE)
    np.testing.assert_allclose(answers(made.files, to, raw()), expected, rtol=0, atol=BOUND)
    assert made.remarks[-1:] == [
        "takes raw rows, numbers in the order of columns (NaN if missing): their scaling is in the file"
    ]
    assert read_bundle(bundle).exported(to)["columns"] == "scaled"


@pytest.mark.parametrize("to", ["onnx", "c", "torch-export"])
def test_a_file_alone_fills_missing_numbers(tmp_path: Path, to: str) -> None:
    bundle, sample = table_bundle(tmp_path)
    holes = TABLE.astype(np.float32).mask(np.random.default_rng(0).random(TABLE.shape) < 0.2)
    with pytest.warns(UserWarning, match="has missing values, which training rows did not"):
        expected = logits_of(bundle, holes)
    found = answers(export_bundle(bundle, to, sample).files, to, raw(holes))
    np.testing.assert_allclose(found, expected, rtol=0, atol=BOUND)


def test_unscaled_numbers_pass_through_a_file(tmp_path: Path) -> None:
    frame = TABLE[["small"]].assign(other=TABLE["small"] ** 2)
    bundle, sample = table_bundle(tmp_path, frame, "none")
    made = export_bundle(bundle, "onnx", sample).files
    load_bundle(bundle, "onnx")
    np.testing.assert_allclose(answers(made, "onnx", raw(frame)), logits_of(bundle, frame), rtol=0, atol=BOUND)


RUNTIMES = {"native": "c", "onnx": "onnx", "native-int8": "c", "onnx-int8": "onnx-int8"}


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_runtimes_answer_named_rows_as_numpy_does(tmp_path: Path, runtime: str) -> None:
    bundle, sample = table_bundle(tmp_path)
    export_bundle(bundle, RUNTIMES[runtime], sample, allow_loss=True)
    model, plain = load_bundle(bundle, runtime), load_bundle(bundle, "numpy")
    bound = 1e-5 if "int8" not in runtime else 0.2
    mixed_up = TABLE[["year", "small", "large"]]
    holes = TABLE.mask(np.random.default_rng(0).random(TABLE.shape) < 0.2)
    expected = plain.predict_proba(TABLE)
    for rows in (TABLE, mixed_up, TABLE.to_dict(orient="records")):
        np.testing.assert_allclose(model.predict_proba(rows), expected, rtol=0, atol=bound)
    features = plain.prepare(TABLE)
    np.testing.assert_allclose(model.predict_proba(features, propagated=True), expected, rtol=0, atol=bound)
    np.testing.assert_allclose(model.predict_proba(Encoded(features)), expected, rtol=0, atol=bound)
    with pytest.warns(UserWarning, match="column '(small|large|year)' has missing values"):
        found = model.predict_proba(holes)
    with pytest.warns(UserWarning, match="column '(small|large|year)' has missing values"):
        np.testing.assert_allclose(found, plain.predict_proba(holes), rtol=0, atol=bound)
    with pytest.raises(GraphKDError, match="column 'large' holds inf in row 0, not a finite number"):
        model.predict(TABLE.assign(large=np.inf))
    with pytest.raises(GraphKDError, match="this student reads columns by name"):
        model.predict(raw())


@pytest.mark.slow
@pytest.mark.parametrize("members", [0, 3])
@pytest.mark.parametrize("int8", [False, True])
def test_sparse_rows_of_c_are_raw_numbers_too(tmp_path: Path, int8: bool, members: int) -> None:
    """An absent entry is a zero of the table, which is no zero of the features."""
    frame = TABLE.assign(small=TABLE["small"].where(TABLE["small"] > 0, 0.0))
    bundle, _ = table_bundle(tmp_path, frame, members=members)
    whole = read_bundle(bundle)
    stamp = Stamp.of(whole)
    sources = c_sources(network_of(whole), stamp, True)
    engine = engine_of(sources, int8)
    x, features = raw(frame), load_bundle(bundle, "numpy").prepare(frame.astype(np.float32))
    found = engine.logits(x)
    np.testing.assert_allclose(engine.logits(scipy.sparse.csr_matrix(x)), found, rtol=0, atol=BOUND)
    # Its first layer has the features of training, to the last bit, so that 8 bits cost what they cost there.
    plain = engine_of(c_sources(network_of(whole), replace(stamp, scaling=None), True), int8)
    np.testing.assert_array_equal(found, plain.logits(features))
    sizes = dict(
        line.split()[1:]
        for line in sources["student.h"].decode().splitlines()
        if line.startswith("#define GRAPHKD_") and len(line.split()) == 3
    )
    assert int(sizes["GRAPHKD_STACK"]) >= 32 * int(sizes["GRAPHKD_HIDDEN"]) + 20 * x.shape[1]


@pytest.mark.parametrize("flags", [(), ("-DGRAPHKD_PORTABLE",)])
def test_the_c_file_compiles_without_a_warning(tmp_path: Path, flags: tuple[str, ...]) -> None:
    bundle = read_bundle(table_bundle(tmp_path)[0])
    files = c_sources(network_of(bundle), Stamp.of(bundle), True)
    assert "int8 sparse" in build(tmp_path, files, "-DGRAPHKD_BENCH", *flags)


def test_scaling_needs_more_than_8_bits(tmp_path: Path) -> None:
    """The first codes are those of the features: columns of very different scales keep theirs."""
    bundle, sample = table_bundle(tmp_path)
    made = export_bundle(bundle, "onnx-int8", sample, allow_loss=True)
    nodes = list(onnx.load_from_string(made.files["model.int8.onnx"]).graph.node)
    kinds = [node.op_type for node in nodes if node.op_type != "DequantizeLinear"]
    assert kinds[:7] == ["Cast", "IsNaN", "Where", "Sub", "Div", "Cast", "QuantizeLinear"]
    assert made.parity["int8"].argmax_agreement > 0.97
    int8 = export_bundle(bundle, "c", sample, allow_loss=True).parity["int8"]
    assert int8.argmax_agreement > 0.97


FAR = TABLE.assign(epoch=1.7e9 + 1e5 * TABLE["small"])
LEFT_OUT = {
    "a category": (mixed(age=None), STEPS, ""),
    "missing values": (mixed(city=None, member=None, joined=None), STEPS, ""),
    "normalised rows": (TABLE, Preprocessing(row_normalize=True), " and preprocessing (row normalisation)"),
    "far from zero": (FAR, STEPS, ""),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", LEFT_OUT)
def test_what_is_more_than_scaling_is_left_out_and_said(tmp_path: Path, kind: str) -> None:
    frame, steps, also = LEFT_OUT[kind]
    bundle, sample = table_bundle(tmp_path, frame, steps=steps)
    (remark,) = export_bundle(bundle, "onnx", sample).remarks
    verb = "are" if also else "is"
    assert remark.startswith(f"takes rows from prepare(): the encoding of columns{also} {verb} not in the file")
    assert ("column 'epoch' is 1.7e+09 from zero" in remark) is (kind == "far from zero")
    assert "columns" not in read_bundle(bundle).exported("onnx")
    expected = load_bundle(bundle, "numpy").predict_proba(frame)
    np.testing.assert_allclose(load_bundle(bundle, "onnx").predict_proba(frame), expected, rtol=0, atol=1e-5)


def test_a_student_without_a_table_is_exported_as_before(tmp_path: Path) -> None:
    model = student()
    made = export_bundle(make_bundle(tmp_path, model), "c", sample_of(model))
    assert made.remarks[-1:] == ["takes raw rows: the student has no preprocessing"]
    header = made.files["c/student.h"].decode()
    assert "#define GRAPHKD_SCALES 0" in header
    assert "#define GRAPHKD_COLUMNS 0" in header


def test_older_files_take_encoded_rows(tmp_path: Path) -> None:
    """Nothing in their record states that the scaling is inside."""
    bundle, _ = table_bundle(tmp_path)
    plain = make_bundle(tmp_path / "plain", student(num_features=3))
    x = load_bundle(bundle, "numpy").prepare(TABLE)
    old = export_bundle(plain, "onnx", sample_of(student(num_features=3)))
    add_export(read_bundle(bundle), "onnx", old.files, {"parity": {}, "allow_loss": False})
    model = load_bundle(bundle, "onnx")
    np.testing.assert_allclose(model.logits(TABLE), logits_of(bundle, TABLE, "float64"), rtol=0, atol=BOUND)
    np.testing.assert_allclose(model.logits(x, propagated=True), model.logits(TABLE), rtol=0, atol=BOUND)
