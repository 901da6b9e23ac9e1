"""All runtimes: the same answers, none of them with torch but one."""

import copy
import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse
import torch

from graphkd import GraphKDError, load_bundle
from graphkd.deploy import RUNTIMES
from graphkd.deploy.batch.default import default_runtime
from graphkd.deploy.exports.formats import FORMATS, export_bundle
from graphkd.deploy.files import read_bundle
from graphkd.deploy.names import Columns
from graphkd.deploy.server.runtime_choice import runtime_of
from tests.deploy.bundles import ensemble, flip, make_bundle, rows_of_every_size, sample_of, student


@pytest.fixture(scope="module", params=[student, pytest.param(ensemble, marks=pytest.mark.slow)])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of each kind of student in every format."""
    model = request.param("layer")
    folder = make_bundle(tmp_path_factory.mktemp("all"), model, "layer")
    for to in FORMATS:
        export_bundle(folder, to, sample_of(model), allow_loss=True)
    return folder


FLOAT = [runtime for runtime in RUNTIMES if "int8" not in runtime]


@pytest.mark.slow
def test_all_runtimes_agree_on_ten_thousand_rows(bundle: Path) -> None:
    """Zeros, denormals and huge values among them; classes may differ only where two of them tie."""
    x = rows_of_every_size(10_000, 5)
    with torch.no_grad():
        output = load_bundle(bundle).student.double()(torch.from_numpy(x).double())
    expected = output.logits.numpy()
    # Log-probabilities are differences of the members' logits, whose rounding they inherit.
    sizes = [each.logits.abs().amax(dim=1, keepdim=True) for each in (output, *output.members)]
    size = torch.cat(sizes, dim=1).amax(dim=1, keepdim=True).numpy()
    two = np.sort(expected, axis=1)[:, -2:]
    clear = two[:, 1] - two[:, 0] > 1e-5 * size[:, 0]
    assert clear.mean() > 0.99
    for runtime in FLOAT:
        model = load_bundle(bundle, runtime)
        assert (model.predict(x)[clear] == expected.argmax(axis=1)[clear]).all()
        np.testing.assert_allclose(model.predict_proba(x).sum(axis=1), 1, rtol=1e-5)
        if runtime != "torch":
            assert (np.abs(model.logits(x) - expected) <= 1e-5 * size).all()


@pytest.mark.slow
def test_8_bits_are_near(bundle: Path) -> None:
    x = np.random.default_rng(0).standard_normal((10_000, 5)).astype(np.float32)
    expected = load_bundle(bundle, "numpy").logits(x)
    for runtime in ("onnx-int8", "native-int8"):
        found = load_bundle(bundle, runtime).logits(x)
        assert (found.argmax(1) == expected.argmax(1)).mean() > 0.85
        assert 0 < np.abs(found - expected).mean() < 0.1 * np.abs(expected).mean()


@pytest.mark.slow
def test_a_member_without_weight_is_silent_and_small_probabilities_last(tmp_path: Path) -> None:
    """Down to log-probabilities of which single precision could not hold the exponential."""
    model = ensemble("none")
    model.alpha.copy_(torch.tensor([0.0, 0.75, 0.25]))
    bundle = make_bundle(tmp_path, model, "none")
    for to in ("onnx", "c"):
        export_bundle(bundle, to, sample_of(model), allow_loss=True)
    x = 50 * np.random.default_rng(0).standard_normal((200, 5)).astype(np.float32)
    with torch.no_grad():
        logits = [member.double()(torch.from_numpy(x).double()).logits for member in model.members[1:]]
    terms = [log_p.log_softmax(dim=1) + np.log(alpha) for log_p, alpha in zip(logits, (0.75, 0.25), strict=True)]
    expected = torch.logaddexp(*terms).numpy()
    assert expected.min() < -100
    for runtime in ("numpy", "onnx", "native"):
        found = load_bundle(bundle, runtime).logits(x)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(load_bundle(bundle).predict_proba(x), np.exp(expected), rtol=1e-3, atol=1e-6)


@pytest.mark.slow
def test_a_class_that_all_members_rule_out_has_probability_zero(tmp_path: Path) -> None:
    """Finite logits, further apart than single precision reaches."""
    model = ensemble("none", 1)
    for member in model.members:
        torch.nn.init.zeros_(member.layers[0].bias)
        member.layers[0].weight.data = torch.tensor([[3e38], [-3e38], [-3e38]]).expand(3, 5) * torch.eye(3, 5)[:1]
    bundle = make_bundle(tmp_path, model, "none")
    for to in ("onnx", "c"):
        export_bundle(bundle, to, sample_of(student("none", 1)), allow_loss=True)
    x = np.eye(2, 5, dtype=np.float32)
    for runtime in FLOAT:
        proba = load_bundle(bundle, runtime).predict_proba(x)
        np.testing.assert_allclose(proba, [[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]], rtol=1e-6)
        if runtime != "torch":
            np.testing.assert_array_equal(load_bundle(bundle, runtime).logits(x)[0, 1:], -np.inf)


@pytest.mark.parametrize("to", ["c", "onnx"])
def test_the_server_and_batches_choose_what_was_exported(tmp_path: Path, to: str) -> None:
    model = ensemble()
    bundle = make_bundle(tmp_path, model)
    assert (runtime_of(read_bundle(bundle), "auto"), default_runtime(read_bundle(bundle))) == ("numpy", "torch")
    export_bundle(bundle, to, sample_of(model), allow_loss=True)
    chosen = {"c": "native", "onnx": "onnx"}[to]
    assert (runtime_of(read_bundle(bundle), "auto"), default_runtime(read_bundle(bundle))) == (chosen, chosen)


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
    names = ["bundle.json", "model.safetensors", "exports.json", "schema.json", *read_bundle(bundle).files]
    assert len(names) == 12
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


def mapped(x: np.ndarray, folder: Path) -> np.ndarray:
    np.save(folder / "x.npy", x)
    return np.load(folder / "x.npy", mmap_mode="r")


def read_only(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x.flags.writeable = False
    return x


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_numbers_count_not_how_they_lie_in_memory(bundle: Path, runtime: str, tmp_path: Path) -> None:
    """Multiples of 1/8 up to 8, which every type here holds exactly."""
    model, x = (
        load_bundle(bundle, runtime),
        np.random.default_rng(0).integers(-64, 65, (6, 5)).astype(np.float32) / 8,
    )
    wanted, tensor = model.predict_proba(x), torch.from_numpy(x)
    given = {
        "reversed": x[::-1].copy()[::-1],
        "strided": np.repeat(x, 2, axis=1)[:, ::2],
        "big-endian": x.astype(">f4"),
        "longdouble": x.astype(np.longdouble),
        "float16": x.astype(np.float16),
        "float64": x.astype(np.float64),
        "Fortran": np.asfortranarray(x),
        "read-only": read_only(x),
        "mapped": mapped(x, tmp_path),
        "unmasked": np.ma.masked_array(x),
        "bfloat16": tensor.bfloat16(),
        "half": tensor.half(),
        "double": tensor.double(),
        "gradient": tensor.clone().requires_grad_(),
        "transposed": tensor.t().contiguous().t(),
        "inference": inference(tensor),
        "coo": tensor.clone().requires_grad_().to_sparse(),
        "bfloat16 csr": tensor.bfloat16().to_sparse_csr(),
        "float64 csc": scipy.sparse.csc_array(x.astype(np.float64)),
        "frame": pd.DataFrame(x),
        "nullable": pd.DataFrame(x).astype("Float32"),
        "sparse frame": pd.DataFrame(x).astype(pd.SparseDtype(np.float32, 0)),
        "lists": x.tolist(),
        "rows": list(x),
    }
    for name, rows in given.items():
        np.testing.assert_allclose(model.predict_proba(rows), wanted, rtol=1e-6, atol=1e-7, err_msg=name)
    whole = np.arange(10).reshape(2, 5)
    for kind in (np.int8, np.uint64, ">i2", bool):
        numbers = whole.astype(kind)
        expected = model.predict_proba(numbers.astype(np.float32))
        np.testing.assert_array_equal(model.predict_proba(numbers), expected)
        assert model.predict(numbers[:0]).shape == (0,)


def inference(tensor: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return tensor.clone()


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_what_is_masked_is_missing(bundle: Path, runtime: str) -> None:
    model, x = load_bundle(bundle, runtime), np.ma.masked_array(np.ones((4, 5)), mask=False)
    x[2, 1] = np.ma.masked
    for rows in (x, list(x)):
        with pytest.raises(GraphKDError, match=r"x holds masked values, which are missing \(first in row 2\)"):
            model.predict(rows)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_pickles_and_copies_answer_the_same(bundle: Path, runtime: str) -> None:
    model, x = load_bundle(bundle, runtime), rows_of_every_size(9, 5)
    wanted = model.predict_proba(x)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model), copy.copy(model)):
        np.testing.assert_array_equal(other.predict_proba(x), wanted)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_columns_are_taken_by_name(bundle: Path, runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = load_bundle(bundle, runtime), rows_of_every_size(9, 5)
    monkeypatch.setattr(model, "columns", Columns(list("abcde")))
    rows = pd.DataFrame(x, columns=list("abcde"))
    for given in (rows, rows[list("edcba")], pa.Table.from_pandas(rows[list("badce")]), pd.DataFrame(x)):
        np.testing.assert_array_equal(model.predict_proba(given), model.predict_proba(x))
    with pytest.raises(GraphKDError, match="x has no column 'a'"):
        model.predict(rows.rename(columns={"a": "z"}))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_an_answer_that_is_no_number_is_no_class(bundle: Path, runtime: str) -> None:
    """Finite rows can overflow inside the student; NaN would count as the largest score."""
    model, x = load_bundle(bundle, runtime), np.ones((3, 5), np.float32)
    x[1] = 3e38
    for rows, row in ((x, 1), (x[1:2], 0)):
        for ask in (model.predict, model.predict_proba):
            if "int8" in runtime:
                continue  # whose codes end at 127
            with pytest.raises(GraphKDError, match=f"the student's answer for row {row} is no number"):
                ask(rows)
    assert model.predict(x[:1]).shape == (1,)
    assert model.predict(x[:0]).shape == (0,)
    assert model.predict_proba(x[:0]).shape == (0, 3)
