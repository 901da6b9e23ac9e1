import json
from pathlib import Path

import numpy as np
import pytest

from graphkd import load_bundle
from graphkd.deploy.exports.record import add_export
from graphkd.deploy.files import read_bundle
from tests.deploy.bundles import make_bundle, student


def test_an_export_stands_beside_the_others(tmp_path: Path) -> None:
    folder = make_bundle(tmp_path, student())
    add_export(
        read_bundle(folder), "c", {"c/student.c": b"1"}, {"parity": {"float32": {"rows": 3}}, "allow_loss": False}
    )
    add_export(read_bundle(folder), "onnx", {"model.onnx": b"2"}, {"parity": {}, "allow_loss": True})
    add_export(read_bundle(folder), "c", {"c/student.c": b"3"}, {"parity": {}, "allow_loss": False})
    bundle = read_bundle(folder)
    assert bundle.files == {"c/student.c": b"3", "model.onnx": b"2"}
    assert bundle.exported("onnx")["allow_loss"] is True
    assert load_bundle(folder).predict(np.ones((1, 5))).shape == (1,)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["bundle"]


def test_an_interrupted_export_leaves_the_bundle_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_bundle(tmp_path, student())
    add_export(read_bundle(folder), "c", {"c/student.c": b"1"}, {"parity": {}, "allow_loss": False})
    before = (folder / "exports.json").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("graphkd.deploy.exports.record.write_json", full)
    with pytest.raises(OSError, match="No space"):
        add_export(read_bundle(folder), "c", {"c/student.c": b"2"}, {"parity": {}, "allow_loss": False})
    assert (folder / "exports.json").read_bytes() == before
    assert read_bundle(folder).files == {"c/student.c": b"1"}
    assert json.loads(before)["exports"]["c"]["files"].keys() == {"c/student.c"}
