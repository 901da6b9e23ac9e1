import itertools
import json
from pathlib import Path

import pytest

from graphkd import GraphKDError, load_bundle
from graphkd.atomic_io import seal, sha256, write_json
from graphkd.deploy import RUNTIMES
from graphkd.deploy.files import EXPORTS, read_bundle
from tests.deploy.bundles import flip, make_bundle, student


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """With an export of which only the record matters."""
    folder = make_bundle(tmp_path, student())
    (folder / "c").mkdir()
    (folder / "c" / "student.c").write_text("int x;\n")
    digest = json.loads((folder / "bundle.json").read_text())["weights_sha256"]
    record = {"files": {"c/student.c": sha256(b"int x;\n")}, "parity": {"largest": 1e-7}}
    listed = {"schema_version": 1, "weights_sha256": digest, "exports": {"c": record}}
    write_json(folder / EXPORTS, {**listed, "checksum": seal(listed)})
    return folder


def test_what_is_read_is_what_was_written(bundle: Path) -> None:
    whole = read_bundle(bundle)
    assert whole.files == {"c/student.c": b"int x;\n"}
    assert whole.exported("c")["parity"] == {"largest": 1e-7}
    with pytest.raises(GraphKDError, match=r"holds no onnx \(but c\): graphkd export RUN --to onnx"):
        whole.exported("onnx")


@pytest.mark.parametrize("name", ["bundle.json", "model.safetensors", EXPORTS, "c/student.c"])
def test_every_flipped_byte_is_refused(bundle: Path, name: str) -> None:
    """Also those that JSON does not mind, such as a space that becomes a tabulator."""
    file = bundle / name
    whole = file.read_bytes()
    for at, mask in zip(range(0, len(whole), max(1, len(whole) // 50)), itertools.cycle((1, 0x20, 0x29, 0xFF))):
        flip(file, at, mask)
        with pytest.raises(GraphKDError) as caught:
            read_bundle(bundle)
        assert "\n" not in str(caught.value)
        file.write_bytes(whole)
    read_bundle(bundle)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("name", ["bundle.json", "model.safetensors", EXPORTS, "c/student.c"])
def test_no_runtime_takes_a_flipped_byte(bundle: Path, runtime: str, name: str) -> None:
    flip(bundle / name, (bundle / name).stat().st_size // 2)
    with pytest.raises(GraphKDError, match="changed after it was written|was changed|cannot be read"):
        load_bundle(bundle, runtime)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [("weights_sha256", "0" * 64, "belongs to another student"), ("schema_version", 2, "is of another version")],
)
def test_exports_of_something_else(bundle: Path, key: str, value: object, message: str) -> None:
    listed = {**json.loads((bundle / EXPORTS).read_text()), key: value}
    write_json(bundle / EXPORTS, {**listed, "checksum": seal(listed)})
    with pytest.raises(GraphKDError, match=rf"exports\.json {message}.*: delete it and export again"):
        read_bundle(bundle)


def test_an_exported_file_that_is_gone(bundle: Path) -> None:
    (bundle / "c" / "student.c").unlink()
    with pytest.raises(GraphKDError, match=r"holds no readable c/student\.c: export the bundle again"):
        read_bundle(bundle)


def test_a_bundle_that_a_killed_process_moved_aside_is_put_back(bundle: Path) -> None:
    run = bundle.parent
    for given in (bundle, run):
        bundle.rename(run / ".bundle.old.ab12cd34")
        assert read_bundle(given).files == {"c/student.c": b"int x;\n"}
        assert [entry.name for entry in run.iterdir()] == ["bundle"]
    aside = run.with_name(f".{run.name}.old.ab12cd34")
    run.rename(aside)
    assert read_bundle(run).folder == bundle
    assert not aside.exists()
