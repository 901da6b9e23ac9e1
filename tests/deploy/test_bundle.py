import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import graphkd
from graphkd import GraphKDError, load_bundle
from graphkd.atomic_io import seal
from graphkd.datasets import Preprocessing
from graphkd.deploy import write_bundle
from graphkd.encoders import Encoding, Propagation
from graphkd.methods import InfGraND
from graphkd.sparse import POOLINGS
from graphkd.students import MLP
from tests.conftest import make_data


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    sizes = {"num_features": 5, "hidden_dim": 7, "num_classes": 3, "num_layers": 3, "norm": "batch"}
    student = MLP(**sizes).eval()
    steps = Preprocessing("binary", True), Encoding()
    write_bundle(tmp_path / "bundle", student, sizes, *steps, ["a", "b", "c"], {"dataset": "x"})
    return tmp_path / "bundle"


def test_what_is_loaded_is_what_was_written(bundle: Path) -> None:
    model = load_bundle(bundle)
    x = np.random.RandomState(0).randn(4, 5).astype(np.float32)
    rows = Preprocessing("binary", True)(torch.from_numpy(x))
    torch.manual_seed(0)
    expected = MLP(5, 7, 3, 3, norm="batch").eval()(rows).logits.softmax(dim=1)
    np.testing.assert_allclose(model.predict_proba(x), expected.detach().numpy(), rtol=1e-6)
    assert model.class_names == ["a", "b", "c"]
    assert model.card == {"dataset": "x"}
    assert sorted(file.name for file in bundle.iterdir()) == ["README.md", "bundle.json", "model.safetensors"]


@pytest.mark.parametrize("pooling", POOLINGS)
def test_the_pooling_is_loaded_with_it(pooling: str, tmp_path: Path) -> None:
    data, method = make_data(), InfGraND(hops=2, pooling=pooling)
    run = graphkd.distill(data, method=method, training=graphkd.Training(max_epochs=3))
    run.save(tmp_path / "run")
    model = load_bundle(tmp_path / "run")
    assert (model.num_features, model.encoding.parts[0].pooling) == (8, pooling)
    proba = model.predict_proba(data.x, data.edge_index)
    np.testing.assert_array_equal(proba, run.predictor.predict_proba(data.x, data.edge_index))
    test = data.test_mask.numpy()
    hits = proba.argmax(axis=1)[test] == data.y.numpy()[test]
    assert hits.mean() == pytest.approx(run.metrics["mean"]["student_test"])


def test_a_bundle_from_before_there_was_a_choice_is_pooled_by_the_mean(bundle: Path) -> None:
    as_schema_1(bundle, {"hops": 2, "self_loops": 1, "weighted": False})
    assert load_bundle(bundle).encoding == Encoding((Propagation(2, 1, pooling="mean"),))


@pytest.mark.parametrize("hops", [0, 3])
def test_a_bundle_of_schema_1_is_read_as_one_of_today(bundle: Path, hops: int) -> None:
    today = load_bundle(bundle)
    x = np.random.default_rng(0).random((4, today.num_features), dtype=np.float32)
    before = today.predict_proba(x, propagated=hops > 0)
    as_schema_1(bundle, {"hops": hops, "self_loops": 2, "weighted": False, "pooling": "max"})
    expected = Propagation(hops, 2, pooling="max") if hops else Propagation()
    assert load_bundle(bundle).encoding == Encoding((expected,))
    for runtime in ("torch", "numpy"):
        model = load_bundle(bundle, runtime)
        np.testing.assert_allclose(model.predict_proba(x, propagated=hops > 0), before, atol=1e-6)


def as_schema_1(bundle: Path, propagation: dict[str, object]) -> None:
    file = bundle / "bundle.json"
    content = json.loads(file.read_text())
    content = {name: value for name, value in content.items() if name not in ("inputs", "checksum")}
    content |= {"schema_version": 1, "propagation": propagation}
    file.write_text(json.dumps({**content, "checksum": seal(content)}, indent=2) + "\n")


def edit(bundle: Path, **changes: object) -> None:
    file = bundle / "bundle.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}, indent=2) + "\n")


def cut(bundle: Path) -> None:
    file = bundle / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1])


def flip(bundle: Path) -> None:
    file = bundle / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


DAMAGE = {
    "truncated weights": (cut, "model.safetensors is truncated or was changed"),
    "one flipped bit": (flip, "model.safetensors is truncated or was changed"),
    "no weights": (lambda b: (b / "model.safetensors").unlink(), "holds no readable model.safetensors"),
    "no card": (lambda b: (b / "bundle.json").unlink(), "is not a bundle: it holds no bundle.json"),
    "a card that is not JSON": (lambda b: (b / "bundle.json").write_text("{"), "bundle.json cannot be read"),
    "a card of another kind": (lambda b: (b / "bundle.json").write_text("[]"), "does not belong to a bundle"),
    "another version": (lambda b: edit(b, schema_version=3), "schema version 3, this graphkd reads version 2"),
    "edited preprocessing": (lambda b: edit(b, preprocessing={}), "bundle.json was changed after it was written"),
    "edited checksum": (lambda b: edit(b, checksum="0"), "bundle.json was changed after it was written"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_does_not_match_is_refused_in_one_line(bundle: Path, damage: str) -> None:
    break_it, message = DAMAGE[damage]
    break_it(bundle)
    with pytest.raises(GraphKDError, match=re.escape(message)) as caught:
        load_bundle(bundle)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"student": {"name": "mlp", "arguments": {"num_features": 9}}},
        {"student": {"name": "mlp", "arguments": {"width": 5}}},
        {"student": {}},
        {"preprocessing": {"features": "stored", "more": 1}},
        {"inputs": [{"name": "propagated", "hops": 2, "pooling": "sum"}]},
        {"inputs": []},
        {"inputs": [{"name": "raw"}, {"name": "propagated", "hops": 1}]},
        {"inputs": [{"name": "positions", "dim": 2, "nodes": 3}]},
        {"weights_sha256": None},
    ],
)
def test_a_whole_bundle_that_describes_no_student(bundle: Path, changes: dict) -> None:
    edit(bundle, **changes)
    edit(bundle, checksum=seal(json.loads((bundle / "bundle.json").read_text())))
    with pytest.raises(GraphKDError, match="does not describe a student|truncated or was changed|'sum'") as caught:
        load_bundle(bundle)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(GraphKDError, match="is not a bundle"):
        load_bundle(tmp_path / "nowhere")


def test_the_checksum_does_not_depend_on_the_order_of_keys() -> None:
    assert seal({"a": 1, "b": 2, "checksum": "x"}) == seal({"b": 2, "a": 1})


@pytest.mark.slow
def test_it_loads_without_pyg_and_without_pickle(bundle: Path) -> None:
    code = f"""
import sys, pickle
sys.modules["torch_geometric"] = None
import graphkd, numpy, torch, graphkd.deploy.bundle
def forbidden(*args, **kwargs): raise AssertionError("unpickled")
pickle.load = pickle.loads = pickle.Unpickler = torch.load = forbidden
model = graphkd.load_bundle({str(bundle)!r})
print(model.predict(numpy.ones((2, 5), dtype="float32")).shape)
assert not any(name.startswith(("torch_geometric.", "sklearn", "hydra")) for name in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("(2,)\n", 0), done.stderr


@pytest.mark.parametrize("runtime", ["torch", "numpy"])
def test_a_bias_before_a_batch_norm_as_version_0_1_wrote_it_counts(runtime: str, tmp_path: Path) -> None:
    """``norm(W h + b)`` with the mean ``m`` is ``norm(W h)`` with the mean ``m − b``."""
    torch.manual_seed(0)
    arguments = {"num_features": 5, "hidden_dim": 4, "num_classes": 3, "num_layers": 3, "norm": "batch"}
    old = MLP(**arguments).eval()
    for layer in old.layers[:-1]:
        layer.bias = torch.nn.Parameter(torch.randn(4))
    for norm in old.norms:
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2.0)
    write_bundle(tmp_path / "bundle", old, arguments, Preprocessing(), Encoding(), None, {})
    x = torch.randn(7, 5)
    with torch.no_grad():
        expected = old(x).logits.softmax(dim=1).numpy()
    found = load_bundle(tmp_path / "bundle", runtime).predict_proba(x.numpy())
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
