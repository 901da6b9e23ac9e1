"""ONNX files from elsewhere: nothing but the student as it is exported."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from graphkd import GraphKDError, load_bundle
from graphkd.datasets import Preprocessing
from graphkd.deploy.exports.formats import export_bundle
from graphkd.deploy.exports.record import add_export
from graphkd.deploy.exports.sample import Sample
from graphkd.deploy.files import read_bundle
from graphkd.deploy.network import network_of
from graphkd.deploy.runtimes.onnx_file import check_onnx
from graphkd.students import MLP, Ensemble
from tests.deploy.bundles import ensemble, make_bundle, sample_of, student
from tests.deploy.table_bundles import table_bundle


def exported(
    folder: Path,
    to: str,
    norm: str = "batch",
    steps: Preprocessing | None = None,
    made_of: MLP | Ensemble | None = None,
) -> tuple[Path, bytes]:
    """A bundle with an export, and the content of that."""
    made_of = made_of or student(norm, num_features=6)
    bundle = make_bundle(folder, made_of, norm, steps or Preprocessing("binary", True))
    model, x = load_bundle(bundle), np.abs(np.random.default_rng(0).normal(size=(20, 6))).astype(np.float32)
    logits = model.student(model.prepare(x)).logits.detach()
    made = export_bundle(bundle, to, Sample(x[:9], x[9:], logits[9:].argmax(1), logits.numpy(), "accuracy"), True)
    add_export(read_bundle(bundle), to, made.files, {"parity": {}, "allow_loss": True})
    (content,) = made.files.values()
    return bundle, content


@pytest.mark.parametrize("to", ["onnx", "onnx-int8"])
@pytest.mark.parametrize("norm", [pytest.param("none", marks=pytest.mark.slow), "batch", "layer"])
@pytest.mark.parametrize(
    "steps", [pytest.param(Preprocessing("stored", False), marks=pytest.mark.slow), Preprocessing("binary", True)]
)
def test_what_is_exported_passes(to: str, norm: str, steps: Preprocessing, tmp_path: Path) -> None:
    bundle, content = exported(tmp_path, to, norm, steps)
    check_onnx(content, network_of(read_bundle(bundle)))


@pytest.mark.slow
@pytest.mark.parametrize("to", ["onnx", "onnx-int8"])
@pytest.mark.parametrize("num_members", [1, pytest.param(11, marks=pytest.mark.slow)])
def test_an_ensemble_as_it_is_exported_passes(to: str, num_members: int, tmp_path: Path) -> None:
    """Of eleven members made here some are alike: torch's exporter writes equal weights once."""
    model = ensemble("layer", num_members=num_members, num_features=6)
    bundle, content = exported(tmp_path, to, "layer", made_of=model)
    check_onnx(content, network_of(read_bundle(bundle)))
    with pytest.raises(ValueError, match="holds the operator 'LogSoftmax', which no student has"):
        check_onnx(content, replace(network_of(read_bundle(bundle)), alpha=None))


@pytest.mark.slow
def test_members_in_another_order_are_refused(tmp_path: Path) -> None:
    bundle, content = exported(tmp_path, "onnx", made_of=ensemble(num_features=6))
    network = network_of(read_bundle(bundle))
    swapped = replace(network, layers=network.layers[3:6] + network.layers[:3] + network.layers[6:])
    with pytest.raises(ValueError, match="its weights are not those of the bundle"):
        check_onnx(content, swapped)


def outside(model: Any) -> None:
    """The first weights are read from a file of this machine."""
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../../etc/passwd")


def loop(model: Any) -> None:
    """Never ends."""
    body = helper.make_graph([], "body", [], [])
    model.graph.node.append(helper.make_node("Loop", ["", ""], ["never"], body=body))


def function(model: Any) -> None:
    """A name of ours, with another body."""
    opset = helper.make_opsetid("", 20)
    model.functions.append(helper.make_function("", "Relu", ["x"], ["y"], [], [opset]))


def changed(name: str, value: Any) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        setattr(model.graph.node[-1], name, value)

    return change


def weights(scale: float) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        for tensor in model.graph.initializer:
            if len(tensor.dims) == 2:
                tensor.raw_data = (scale * numpy_helper.to_array(tensor)).astype(np.float32).tobytes()

    return change


def append(kind: str, *inputs: str, **attributes: Any) -> Callable[[Any], None]:
    return lambda model: model.graph.node.append(helper.make_node(kind, list(inputs), ["more"], **attributes))


def tensor(dims: list[int], kind: int = TensorProto.FLOAT, raw: bytes = b"") -> Callable[[Any], None]:
    return lambda model: model.graph.initializer.append(
        TensorProto(dims=dims, data_type=kind, name="more", raw_data=raw)
    )


def many(model: Any) -> None:
    for _ in range(500):
        model.graph.node.append(helper.make_node("Relu", ["logits"], ["more"]))


def product_of_weights(model: Any) -> None:
    model.graph.node.append(helper.make_node("Gemm", ["0.weight", "0.weight"], ["more"], transA=1, transB=0))


def sparse(model: Any) -> None:
    model.graph.sparse_initializer.append(onnx.SparseTensorProto(dims=[10**9, 10**9]))


def segment(model: Any) -> None:
    model.graph.initializer[0].segment.begin = 5


ATTACKS: dict[str, Callable[[Any], None]] = {
    "a file of this machine": outside,
    "a loop": loop,
    "a function": function,
    "another domain": changed("domain", "com.example"),
    "an operator of its own": changed("op_type", "Custom"),
    "twice the weights": weights(2.0),
    "no weights": weights(0.0),
    "a branch": append("If", "logits", then_branch=helper.make_graph([], "a", [], [])),
    "a scan": append("Scan", "logits", body=helper.make_graph([], "a", [], []), num_scan_inputs=1),
    "a larger table": append("Expand", "logits", "shape"),
    "tiles": append("Tile", "logits", "repeats"),
    "a range": append("Range", "a", "b", "c"),
    "a constant": append("Constant", value=numpy_helper.from_array(np.ones(3, np.float32))),
    "an outer product": product_of_weights,
    "an array of another shape": tensor([10**6], raw=b"0000" * 10**6),
    "numbers that are not there": tensor([7, 6]),
    "a huge shape": tensor([10**9, 10**9], raw=b"abcd"),
    "a negative shape": tensor([-1, -1], raw=b"abcd"),
    "texts": tensor([], TensorProto.STRING),
    "no type": tensor([], 0),
    "five hundred operations": many,
    "a sparse array": sparse,
    "a part of an array": segment,
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_anything_else_is_one_line_before_it_runs(attack: str, tmp_path: Path) -> None:
    bundle, content = exported(tmp_path, "onnx")
    model = onnx.load_from_string(content)
    ATTACKS[attack](model)
    add_export(read_bundle(bundle), "onnx", {"model.onnx": model.SerializeToString()}, {"parity": {}})
    with pytest.raises(GraphKDError, match="model.onnx is not this student as graphkd exports it: ") as caught:
        load_bundle(bundle, "onnx")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"", b"\x00", b"\xff" * 40, b"\x3a\xff\xff\xff\xff\x0fab", b"\x3a\x00", b"\x0b"]
)
def test_what_is_no_onnx_is_one_line(content: bytes, tmp_path: Path) -> None:
    bundle, _ = exported(tmp_path, "onnx")
    add_export(read_bundle(bundle), "onnx", {"model.onnx": content}, {"parity": {}})
    with pytest.raises(GraphKDError, match="is not this student|does not describe a student"):
        load_bundle(bundle, "onnx")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    return exported(tmp_path_factory.mktemp("bundle"), "onnx")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=5))
def test_flipped_bytes_are_refused_or_harmless(flips: list[tuple[int, int]], whole: tuple[Path, bytes]) -> None:
    bundle, content = whole
    damaged = bytearray(content)
    for place, value in flips:
        damaged[place % len(damaged)] = value
    try:
        check_onnx(bytes(damaged), network_of(read_bundle(bundle)))
    except (ValueError, IndexError):
        return
    assert len(damaged) == len(content)


def scaled(folder: Path, change: Callable[[Any], None] = lambda model: None) -> tuple[Path, bytes]:
    """A bundle whose student reads scaled columns, and its export after a change."""
    bundle, sample = table_bundle(folder)
    made = export_bundle(bundle, "onnx", sample)
    model = onnx.load_from_string(made.files["model.onnx"])
    change(model)
    content: bytes = model.SerializeToString()
    about = {key: value for key, value in read_bundle(bundle).exported("onnx").items() if key != "files"}
    add_export(read_bundle(bundle), "onnx", {"model.onnx": content}, about)
    return bundle, content


def vector(at: int, entry: float) -> Callable[[Any], None]:
    """Changes one number of the vectors in double precision: shift (and fill, the same one), then scale."""

    def change(model: Any) -> None:
        part = [part for part in model.graph.initializer if part.data_type == TensorProto.DOUBLE][at]
        numbers = numpy_helper.to_array(part).copy()
        numbers[1] = entry
        part.raw_data = numbers.tobytes()

    return change


def of_kind(model: Any, kind: str) -> Any:
    return next(node for node in model.graph.node if node.op_type == kind)


def exchanged(model: Any) -> None:
    """Shift by the scale, and divide by the shift."""
    sub, div = of_kind(model, "Sub"), of_kind(model, "Div")
    sub.input[1], div.input[1] = div.input[1], sub.input[1]


def reversed_difference(model: Any) -> None:
    sub = of_kind(model, "Sub")
    sub.input[0], sub.input[1] = sub.input[1], sub.input[0]


def twice(model: Any) -> None:
    model.graph.node.append(helper.make_node("Div", ["logits", of_kind(model, "Div").input[1]], ["more"]))


def a_second_vector(model: Any) -> None:
    part = next(part for part in model.graph.initializer if part.data_type == TensorProto.DOUBLE)
    model.graph.initializer.append(part)


def listed(model: Any) -> None:
    """The numbers are in another field of the message."""
    part = next(part for part in model.graph.initializer if part.data_type == TensorProto.DOUBLE)
    numbers = numpy_helper.to_array(part).tolist()
    part.ClearField("raw_data")
    part.double_data.extend(numbers)


SCALINGS: dict[str, Callable[[Any], None]] = {
    "another shift": vector(0, 7.0),
    "another scale": vector(1, 7.0),
    "no number": vector(1, np.nan),
    "exchanged vectors": exchanged,
    "a reversed difference": reversed_difference,
    "a vector read twice": twice,
    "a vector more": a_second_vector,
    "numbers elsewhere": listed,
    "an operator": append("Add", "logits", "logits"),
}


def test_a_scaling_as_it_is_exported_passes(tmp_path: Path) -> None:
    bundle, content = scaled(tmp_path)
    load_bundle(bundle, "onnx")
    with pytest.raises(ValueError, match="holds the operator 'IsNaN', which no student has"):
        check_onnx(content, network_of(read_bundle(bundle)))


@pytest.mark.parametrize("attack", SCALINGS)
def test_another_scaling_is_one_line_before_it_runs(attack: str, tmp_path: Path) -> None:
    bundle, _ = scaled(tmp_path, SCALINGS[attack])
    with pytest.raises(GraphKDError, match="model.onnx is not this student as graphkd exports it: ") as caught:
        load_bundle(bundle, "onnx")
    assert "\n" not in str(caught.value)


def test_a_record_that_claims_a_scaling_is_not_believed(tmp_path: Path) -> None:
    """Of a student that has none, or whose file has none."""
    bundle, content = exported(tmp_path, "onnx")
    add_export(read_bundle(bundle), "onnx", {"model.onnx": content}, {"parity": {}, "columns": "scaled"})
    assert load_bundle(bundle, "onnx").engine.raw_logits is None
    other, _ = table_bundle(tmp_path / "other")
    plain = export_bundle(
        make_bundle(tmp_path / "plain", student(num_features=3)), "onnx", sample_of(student(num_features=3))
    )
    add_export(read_bundle(other), "onnx", plain.files, {"parity": {}, "columns": "scaled"})
    with pytest.raises(GraphKDError, match="its scaling of raw numbers is in other places"):
        load_bundle(other, "onnx")
