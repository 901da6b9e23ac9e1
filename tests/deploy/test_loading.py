"""All runtimes: the same answers, none of them with torch but one."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
import torch

from graphkd import GraphKDError, load_bundle
from graphkd.deploy import RUNTIMES
from graphkd.deploy.exports.formats import FORMATS, export_bundle
from graphkd.deploy.files import read_bundle
from tests.deploy.bundles import flip, make_bundle, rows_of_every_size, sample_of, student


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle in every format."""
    model = student("layer")
    folder = make_bundle(tmp_path_factory.mktemp("all"), model, "layer")
    for to in FORMATS:
        export_bundle(folder, to, sample_of(model), allow_loss=True)
    return folder


FLOAT = [runtime for runtime in RUNTIMES if "int8" not in runtime]


def test_all_runtimes_agree_on_ten_thousand_rows(bundle: Path) -> None:
    """Zeros, denormals and huge values among them; classes may differ only where two of them tie."""
    x = rows_of_every_size(10_000, 5)
    with torch.no_grad():
        expected = load_bundle(bundle).student.double()(torch.from_numpy(x).double()).logits.numpy()
    size = np.abs(expected).max(axis=1, keepdims=True)
    two = np.sort(expected, axis=1)[:, -2:]
    clear = two[:, 1] - two[:, 0] > 1e-5 * size[:, 0]
    assert clear.mean() > 0.99
    for runtime in FLOAT:
        model = load_bundle(bundle, runtime)
        assert (model.predict(x)[clear] == expected.argmax(axis=1)[clear]).all()
        np.testing.assert_allclose(model.predict_proba(x).sum(axis=1), 1, rtol=1e-5)
        if runtime != "torch":
            assert (np.abs(model.logits(x) - expected) <= 1e-5 * size).all()


def test_8_bits_are_near(bundle: Path) -> None:
    x = np.random.default_rng(0).standard_normal((10_000, 5)).astype(np.float32)
    expected = load_bundle(bundle, "numpy").logits(x)
    for runtime in ("onnx-int8", "native-int8"):
        found = load_bundle(bundle, runtime).logits(x)
        assert (found.argmax(1) == expected.argmax(1)).mean() > 0.85
        assert 0 < np.abs(found - expected).mean() < 0.1 * np.abs(expected).mean()


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_forms_and_sizes_of_rows(bundle: Path, runtime: str) -> None:
    model, x = load_bundle(bundle, runtime), rows_of_every_size(9, 5)
    expected = model.predict_proba(x)
    for rows in (x.tolist(), scipy.sparse.csr_matrix(x), torch.from_numpy(x), np.asfortranarray(x)):
        np.testing.assert_allclose(model.predict_proba(rows), expected, rtol=1e-4, atol=1e-6)
    for count in range(1, 9):
        np.testing.assert_allclose(model.predict_proba(x[:count]), expected[:count], rtol=1e-4, atol=1e-6)
    assert model.predict(x[:0]).shape == (0,)
    assert (expected.dtype, model.predict(x).dtype) == (np.float32, np.int64)
    for mistake, message in ((x[:, 1:], r"x must be \[rows, 5\]"), (x * np.nan, "x holds NaN")):
        with pytest.raises(GraphKDError, match=message):
            model.predict(mistake)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_no_runtime_takes_a_bundle_with_a_flipped_byte(bundle: Path, runtime: str) -> None:
    names = ["bundle.json", "model.safetensors", "exports.json", *read_bundle(bundle).files]
    assert len(names) == 11
    for name in names:
        whole = (bundle / name).read_bytes()
        flip(bundle / name, len(whole) // 3)
        with pytest.raises(GraphKDError, match="was changed|cannot be read"):
            load_bundle(bundle, runtime)
        (bundle / name).write_bytes(whole)


REFUSED = (
    "torch",
    "torch_geometric",
    "scipy",
    "sklearn",
    "pandas",
    "hydra",
    "omegaconf",
    "networkx",
    "onnx",
    "safetensors",
    "tqdm",
)

SERVE = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {refused}:
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Refuse())
import graphkd, numpy, json

x = numpy.load({rows!r})
answers = {{}}
for runtime in {runtimes}:
    model = graphkd.load_bundle({bundle!r}, runtime=runtime)
    answers[runtime] = [model.predict(x).tolist(), model.predict_proba(x.tolist()).argmax(1).tolist()]
try:
    graphkd.load_bundle({bundle!r})
except graphkd.GraphKDError as error:
    answers["torch"] = str(error)
print(json.dumps(answers))
"""


def test_all_but_torch_s_need_numpy_and_their_own_package_only(bundle: Path, tmp_path: Path) -> None:
    x = np.random.default_rng(0).standard_normal((20, 5)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    runtimes = [runtime for runtime in RUNTIMES if runtime != "torch"]
    names = {"refused": REFUSED, "rows": str(tmp_path / "x.npy"), "bundle": str(bundle), "runtimes": runtimes}
    done = subprocess.run(
        [sys.executable, "-c", SERVE.format(**names)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("torch").startswith("runtime=torch needs torch and safetensors, and there is no ")
    for runtime, answers in found.items():
        assert answers == [load_bundle(bundle, runtime).predict(x).tolist()] * 2
