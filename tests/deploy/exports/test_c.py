"""What goes into the C file, and what does not."""

from pathlib import Path

import pytest

from graphkd import GraphKDError, load_bundle
from graphkd.deploy.exports import c
from graphkd.deploy.exports.formats import export_bundle
from tests.deploy.bundles import make_bundle, sample_of, student


def test_8_bits_that_lose_too_much_are_left_out_of_the_c_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = student()
    bundle, sample = make_bundle(tmp_path, model), sample_of(model)
    monkeypatch.setattr("graphkd.deploy.exports.parity.LOSS", -1.0)
    made = export_bundle(bundle, "c", sample)
    assert made.parity.keys() == {"float32"}
    assert "the 8-bit form loses 0.00 points on validation" in made.remarks[0]
    assert "int8_t codes_0" not in made.files["c/student.c"].decode()
    with pytest.raises(GraphKDError, match="holds no 8-bit weights in C"):
        load_bundle(bundle, "native-int8")
    assert export_bundle(bundle, "c", sample, allow_loss=True).parity.keys() == {"float32", "int8"}


def test_a_student_too_large_for_c(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = student()
    monkeypatch.setattr(c, "LARGEST_SOURCE", 100)
    with pytest.raises(
        GraphKDError, match="has 122 parameters, and C files are written up to 100: export to onnx"
    ):
        export_bundle(make_bundle(tmp_path, model), "c", sample_of(model))
