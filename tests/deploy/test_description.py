"""Bundles whose checksums are right and whose contents are not: one line, the same for every runtime."""

import functools
import inspect
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from graphkd import GraphKDError, load_bundle
from graphkd.atomic_io import seal, sha256, write_json, write_text
from graphkd.deploy import RUNTIMES
from graphkd.deploy.description import DEFAULTS, DESCRIPTION, ENSEMBLE, EXPORTED, MOST_MEMBERS, TAPERED
from graphkd.deploy.files import EXPORTS, read_bundle
from graphkd.students import MLP, Ensemble
from tests.deploy.bundles import ensemble, make_bundle, progressive, rows_of_every_size, student, tapered

DEEP: Any = []
for _ in range(400):
    DEEP = [DEEP]
HUGE = 10**400
WRONG: dict[str, Any] = {
    "nothing": None, "minus one": -1, "a fraction": 0.5, "a text": "x", "no text": "", "a list": [1],
    "no list": [], "an object": {"x": 1}, "no object": {}, "true": True, "twelve digits": 10**12,
    "400 digits": HUGE,
    "not a number": float("nan"), "infinity": float("inf"), "nested": DEEP, "control characters": "a\n\x1b[31m",
    "a surrogate": "\ud800",
}  # fmt: skip
RIGHT = {
    ("class_names", "nothing"), ("feature_names?", "nothing"), ("card", "an object"), ("card", "no object"),
    ("propagation.self_loops?", "a fraction"), ("propagation.weighted?", "true"), ("dropout?", "a fraction"),
    ("preprocessing.row_normalize", "true"), ("exports", "no object"),
}  # fmt: skip
"""What is legal by itself."""


@functools.cache
def original(make: Callable[[], MLP | Ensemble]) -> dict[str, bytes]:
    """The files of a bundle."""
    with tempfile.TemporaryDirectory() as name:
        folder = make_bundle(Path(name), make())
        return {file.name: file.read_bytes() for file in folder.iterdir()}


def copied(folder: Path, make: Callable[[], MLP | Ensemble] = student) -> Path:
    """A bundle in this folder."""
    (folder / "bundle").mkdir()
    for name, content in original(make).items():
        (folder / "bundle" / name).write_bytes(content)
    return folder / "bundle"


def put(content: dict[str, Any], name: str, value: Any) -> None:
    """Sets a field such as ``propagation.hops``."""
    *path, last = name.rstrip("?").split(".")
    for part in path:
        content = content[part]
    content[last] = value


def sealed(file: Path, content: dict[str, Any]) -> None:
    write_json(file, {**content, "checksum": seal(content)} if "checksum" not in content else content)


def spoil(bundle: Path, name: str, value: Any) -> None:
    """Writes the description anew, with a checksum that is right."""
    content = json.loads((bundle / "bundle.json").read_text())
    put(content, name, value)
    if name != "checksum":
        content.pop("checksum")
    sealed(bundle / "bundle.json", content)


def refusals(bundle: Path) -> set[str]:
    """What each runtime says; a traceback is no ``GraphKDError`` and fails."""
    found = set()
    for runtime in RUNTIMES:
        with pytest.raises(GraphKDError) as caught:
            load_bundle(bundle, runtime)
        assert str(caught.value).isprintable(), str(caught.value)
        found.add(str(caught.value))
    return found


FIELDS = [*DESCRIPTION.fields, *(f"student.arguments.{name}" for name in {**TAPERED.fields, **ENSEMBLE.fields})]


def of_field(name: str) -> Callable[[], MLP | Ensemble]:
    """The student whose description has the field."""
    own = {"num_members?": ensemble, "hidden_dims?": tapered}
    return own.get(name.rpartition(".")[2], student)


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("name", FIELDS)
def test_no_field_is_believed(name: str, kind: str, tmp_path: Path) -> None:
    if {(name, kind), (name.rpartition(".")[2], kind)} & RIGHT:
        pytest.skip("legal")
    bundle = copied(tmp_path, of_field(name))
    spoil(bundle, name, WRONG[kind])
    assert len(refusals(bundle)) == 1


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_that_must_be_there_is_missed(name: str, tmp_path: Path) -> None:
    if name.endswith("?"):
        pytest.skip("it may be missing")
    bundle = copied(tmp_path)
    content = json.loads((bundle / "bundle.json").read_text())
    *path, last = name.split(".")
    inner = content
    for part in path:
        inner = inner[part]
    del inner[last]
    content.pop("checksum", None)
    write_json(bundle / "bundle.json", content if name == "checksum" else {**content, "checksum": seal(content)})
    assert len(refusals(bundle)) == 1


SIZES = {
    "more features": ("student.arguments.num_features", 6),
    "a wide layer": ("student.arguments.hidden_dim", 10**6),
    "many layers": ("student.arguments.num_layers", 10**6),
    "fewer layers": ("student.arguments.num_layers", 2),
    "more classes": ("student.arguments.num_classes", 4),
    "names of other classes": ("class_names", ["a", "b"]),
    "names of other features": ("feature_names", ["a", "b"]),
    "a name twice": ("feature_names", ["a", "a", "b", "c", "d"]),
    "blocks that do not fit": ("inputs", [{"name": "propagated", "hops": 2, "pooling": "concat"}]),
    "positions without vectors": ("inputs", [{"name": "raw"}, {"name": "positions", "dim": 2, "nodes": 4}]),
    "an unknown part": ("inputs", [{"name": "spectral"}]),
    "no part": ("inputs", []),
    "a part twice": ("inputs", [{"name": "raw"}, {"name": "raw"}]),
    "a rate of dropout that leaves nothing": ("student.arguments.dropout", 1),
    "an unknown field": ("run_me", "rm"),
    "an unknown field inside": ("preprocessing.deep", 1),
    "an unknown field of a part": ("inputs", [{"name": "raw", "deep": 1}]),
    "an unknown argument": ("student.arguments.device", "cuda"),
}


@pytest.mark.parametrize("case", SIZES)
def test_sizes_are_those_of_the_weights(case: str, tmp_path: Path) -> None:
    bundle = copied(tmp_path)
    spoil(bundle, *SIZES[case])
    assert len(refusals(bundle)) == 1


MEMBERS = {
    "more members": ("student.arguments.num_members", 4, "not those of 4 members"),
    "fewer members": ("student.arguments.num_members", 2, "not those of 2 members"),
    "too many members": ("student.arguments.num_members", 65, "num_members is 65"),
    "a wide layer": ("student.arguments.hidden_dim", 10**6, "of members.0 are not of the sizes 5, 1000000 and 3"),
    "many layers": ("student.arguments.num_layers", 10**6, "of members.0 are not those of 1000000 layers"),
    "fewer layers": ("student.arguments.num_layers", 2, "of members.0 are not those of 2 layers"),
    "more classes": ("student.arguments.num_classes", 4, "of members.0 are not of the sizes 5, 7 and 4"),
    "names of other classes": ("class_names", ["a", "b"], "2 class_names for 3 classes"),
    "no ensemble": ("student.name", "mlp", "has a field 'num_members', which is not known"),
    "no student": ("student.name", "mpl", "is mpl, and this version of graphkd knows mlp, ensemble, progressive"),
}


@pytest.mark.parametrize("case", MEMBERS)
def test_members_are_those_of_the_weights(case: str, tmp_path: Path) -> None:
    name, value, message = MEMBERS[case]
    bundle = copied(tmp_path, ensemble)
    spoil(bundle, name, value)
    (found,) = refusals(bundle)
    assert message in found


TAPERS = {
    "a width less": ([7, 6], "its hidden_dims are not those of 4 layers"),
    "a width more": ([7, 6, 4, 4], "its hidden_dims are not those of 4 layers"),
    "no width": ([], "its hidden_dims are not those of 4 layers"),
    "another width": ([7, 6, 5], "its weights are not of the sizes"),
    "a width of zero": ([7, 6, 0], "student.arguments is"),
}


@pytest.mark.parametrize("case", TAPERS)
def test_hidden_widths_are_those_of_the_weights(case: str, tmp_path: Path) -> None:
    value, message = TAPERS[case]
    bundle = copied(tmp_path, tapered)
    spoil(bundle, "student.arguments.hidden_dims", value)
    (found,) = refusals(bundle)
    assert message in found


def test_the_number_of_members_has_the_default_of_the_student(tmp_path: Path) -> None:
    assert inspect.signature(Ensemble).parameters["num_members"].default == DEFAULTS["num_members"]
    bundle = make_bundle(tmp_path, ensemble(num_members=2))
    description = json.loads((bundle / "bundle.json").read_text())
    del description["student"]["arguments"]["num_members"], description["checksum"]
    sealed(bundle / "bundle.json", description)
    assert load_bundle(bundle, "numpy").predict_proba(np.zeros((1, 5))).shape == (1, 3)


def test_no_ensemble_is_made_that_no_bundle_may_hold() -> None:
    assert len(Ensemble(5, 7, num_members=MOST_MEMBERS).members) == MOST_MEMBERS
    for wrong in (MOST_MEMBERS + 1, 0, True):
        with pytest.raises(GraphKDError, match=f"num_members is {wrong}: it must be a whole number from 1 to 64"):
            Ensemble(5, 7, num_members=wrong)


SEQUENCE = {
    "no threshold": ("student.arguments.threshold", 0.0, "threshold is 0.0"),
    "a threshold above 1": ("student.arguments.threshold", 1.5, "threshold is 1.5"),
    "no hidden layer": ("student.arguments.num_layers", 1, "num_layers is 1"),
    "an ensemble": ("student.name", "ensemble", "has a field 'threshold', which is not known"),
}


@pytest.mark.parametrize("case", SEQUENCE)
def test_a_sequence_has_a_hidden_layer_and_a_threshold(case: str, tmp_path: Path) -> None:
    name, value, message = SEQUENCE[case]
    bundle = copied(tmp_path, progressive)
    spoil(bundle, name, value)
    (found,) = refusals(bundle)
    assert message in found


Tensors = dict[str, torch.Tensor]


def without(name: str) -> Callable[[Tensors], object]:
    return lambda tensors: tensors.pop(name)


def alpha(*numbers: float) -> Callable[[Tensors], object]:
    return lambda tensors: tensors.update(alpha=torch.tensor(numbers))


def reshaped(name: str, *shape: int) -> Callable[[Tensors], object]:
    return lambda tensors: tensors.update({name: torch.zeros(shape)})


CUT = {
    "no alpha": (without("alpha"), "its alpha has not one number for each of 3 members"),
    "a short alpha": (alpha(0.5, 0.5), "its alpha has not one number for each of 3 members"),
    "a table": (reshaped("alpha", 3, 1), "its alpha has not one number for each of 3 members"),
    "not a number": (alpha(0.5, 0.5, float("nan")), "its alpha is not made of finite numbers"),
    "infinity": (alpha(0.5, 0.5, float("inf")), "its alpha is not made of finite numbers"),
    "a negative one": (alpha(0.7, 0.7, -0.4), "its alpha is not made of finite numbers, 0 or more"),
    "zeros": (alpha(0, 0, 0), "0 or more, that sum to 1"),
    "too much": (alpha(0.5, 0.5, 0.002), "0 or more, that sum to 1"),
    "too little": (alpha(0.5, 0.3, 0.198), "0 or more, that sum to 1"),
    "half a member": (without("members.2.layers.1.weight"), "of members.2 are not of the sizes 5, 7 and 3"),
    "no last layer": (without("members.1.layers.2.weight"), "of members.1 are not those of 3 layers"),
    "a layer more": (reshaped("members.1.layers.3.weight", 3, 3), "of members.1 are not those of 3 layers"),
    "a member more": (reshaped("members.3.layers.0.weight", 7, 5), "are not those of 3 members"),
    "no number": (reshaped("members.x.layers.0.weight", 7, 5), "are not those of 3 members"),
    "a narrow member": (reshaped("members.2.layers.0.weight", 6, 5), "of members.2 are not of the sizes"),
}


def reweighed(bundle: Path, change: Callable[[Tensors], object]) -> Path:
    """The bundle with other tensors, and a checksum that is right."""
    tensors = safetensors.torch.load((bundle / "model.safetensors").read_bytes())
    change(tensors)
    weights = safetensors.torch.save(tensors)
    (bundle / "model.safetensors").write_bytes(weights)
    spoil(bundle, "weights_sha256", sha256(weights))
    return bundle


@pytest.mark.parametrize("change", [without("carries.1.weight"), reshaped("carries.1.weight", 7, 5)])
def test_a_sequence_has_a_square_matrix_between_its_members(
    change: Callable[[Tensors], object], tmp_path: Path
) -> None:
    (found,) = refusals(reweighed(copied(tmp_path, progressive), change))
    assert "no carries.1.weight of 7 × 7 numbers" in found


@pytest.mark.parametrize("case", CUT)
def test_an_ensemble_is_whole_and_its_alpha_a_mixture(case: str, tmp_path: Path) -> None:
    change, message = CUT[case]
    (found,) = refusals(reweighed(copied(tmp_path, ensemble), change))
    assert message in found


@pytest.mark.parametrize(
    ("norm", "name", "shape"),
    [
        ("none", "layers.0.bias", None),
        ("layer", "layers.2.bias", (1,)),
        ("batch", "layers.2.bias", None),
        ("layer", "norms.0.weight", (1,)),
        ("layer", "norms.1.bias", None),
        ("batch", "norms.1.running_var", (1,)),
        ("batch", "norms.0.running_mean", None),
        ("none", "norms.0.weight", (7,)),
        ("none", "layers.3.bias", (3,)),
        ("none", "more", (7,)),
    ],
)
@pytest.mark.parametrize("make", [student, ensemble])
def test_vectors_are_those_of_the_student(
    make: Callable[[str], MLP | Ensemble], norm: str, name: str, shape: tuple[int, ...] | None, tmp_path: Path
) -> None:
    """One number would stand for a whole row of them in numpy."""
    bundle = make_bundle(tmp_path, make(norm), norm)
    name = name if make is student else f"members.1.{name}"
    (found,) = refusals(reweighed(bundle, without(name) if shape is None else reshaped(name, *shape)))
    assert name in found


def test_a_bias_before_a_batch_normalization_is_that_of_older_versions(tmp_path: Path) -> None:
    bundle, x = make_bundle(tmp_path, student()), np.eye(5)
    expected = load_bundle(bundle).predict_proba(x)
    reweighed(bundle, reshaped("layers.0.bias", 7))
    for runtime in ("torch", "numpy"):
        np.testing.assert_allclose(load_bundle(bundle, runtime).predict_proba(x), expected, rtol=1e-5)
    (found,) = refusals(reweighed(bundle, reshaped("layers.0.bias", 1)))
    assert "its weights have no layers.0.bias of 7 numbers" in found


@pytest.mark.parametrize("numbers", [(0, 0, 1), (0.5, 0.3, 0.2009), (1.0009, 0, 0)])
def test_an_alpha_may_be_rounded_and_leave_members_out(numbers: tuple[float, ...], tmp_path: Path) -> None:
    bundle = reweighed(copied(tmp_path, ensemble), alpha(*numbers))
    x = rows_of_every_size(50, 5)
    expected = load_bundle(bundle).predict_proba(x)
    np.testing.assert_allclose(load_bundle(bundle, "numpy").predict_proba(x), expected, rtol=1e-3, atol=1e-6)


def with_exports(bundle: Path, changes: dict[str, Any]) -> None:
    digest = json.loads((bundle / "bundle.json").read_text())["weights_sha256"]
    (bundle / "c").mkdir(exist_ok=True)
    (bundle / "c" / "student.c").write_text("int x;\n")
    record = {"files": {"c/student.c": sha256(b"int x;\n")}, "parity": {}}
    content = {"schema_version": 1, "weights_sha256": digest, "exports": {"c": record}, **changes}
    write_json(bundle / EXPORTS, {**content, "checksum": seal(content)})


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("name", EXPORTED.fields)
def test_no_field_of_exports_is_believed(name: str, kind: str, tmp_path: Path) -> None:
    if (name, kind) in RIGHT or name == "checksum":
        pytest.skip("legal, or of another test")
    bundle = copied(tmp_path)
    with_exports(bundle, {name: WRONG[kind]})
    assert len(refusals(bundle)) == 1


OUTSIDE = ["../bundle.json", "/etc/passwd", "c/../../x", "c//student.c", "./c", "c\\x", "C:x", "", ".", "a\0b"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_exported_files_are_inside(name: str, tmp_path: Path) -> None:
    bundle = copied(tmp_path)
    with_exports(bundle, {"exports": {"c": {"files": {name: "0" * 64}, "parity": {}}}})
    assert len(refusals(bundle)) == 1


@pytest.mark.parametrize("name", ["bundle.json", "model.safetensors", "exports.json", "c/student.c"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "loop"])
def test_a_file_is_a_file(name: str, kind: str, tmp_path: Path) -> None:
    bundle = copied(tmp_path)
    with_exports(bundle, {})
    (bundle / name).unlink()
    make = {
        "pipe": os.mkfifo,
        "folder": os.mkdir,
        "device": lambda path: os.symlink("/dev/zero", path),
        "loop": lambda path: os.symlink(path, path),
    }
    make[kind](bundle / name)
    assert len(refusals(bundle)) == 1


def one_tensor(entry: str, content: bytes = b"") -> bytes:
    """A file of weights whose header says this of its only tensor."""
    header = b'{"layers.0.weight":' + entry.encode() + b"}"
    return len(header).to_bytes(8, "little") + header + content


WEIGHTS = {
    "nothing": b"",
    "a header without an end": b"\xff" * 8 + b"{}",
    "no object": (2).to_bytes(8, "little") + b"[]",
    "nested": (20_000).to_bytes(8, "little") + b"[" * 10_000 + b"]" * 10_000,
    "behind the end": one_tensor('{"dtype":"F32","shape":[7,5],"data_offsets":[0,9999999]}'),
    "before the start": one_tensor('{"dtype":"F32","shape":[7,5],"data_offsets":[-140,0]}'),
    "another type": one_tensor('{"dtype":"O","shape":[1],"data_offsets":[0,8]}', b"x" * 8),
    "a huge shape": one_tensor('{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4]}', b"x" * 4),
    "no dtype": one_tensor('{"shape":[1],"data_offsets":[0,4]}', b"x" * 4),
    "a number": one_tensor("7"),
}


@pytest.mark.parametrize("case", WEIGHTS)
def test_weights_are_checked_before_anything_is_made(case: str, tmp_path: Path) -> None:
    bundle = copied(tmp_path)
    (bundle / "model.safetensors").write_bytes(WEIGHTS[case])
    spoil(bundle, "weights_sha256", sha256(WEIGHTS[case]))
    assert len(refusals(bundle)) == 1


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "1" * 10_000, "\x00", "{" + '"a": 1,' * 10])
def test_json_that_is_none(text: str, tmp_path: Path) -> None:
    bundle = copied(tmp_path)
    write_text(bundle / "bundle.json", text)
    assert len(refusals(bundle)) == 1


def test_a_bundle_as_it_is_written_is_whole(tmp_path: Path) -> None:
    bundle = copied(tmp_path)
    assert read_bundle(bundle).exports == {}
    assert load_bundle(bundle, "numpy").predict_proba(np.zeros((1, 5))).shape == (1, 3)
