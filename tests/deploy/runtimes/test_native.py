"""Compiled C against torch, and its 8-bit form against the same numbers written as loops."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
import torch

from graphkd import GraphKDError, load_bundle
from graphkd.deploy.exports.formats import export_bundle
from graphkd.deploy.exports.int8 import quantised
from graphkd.deploy.exports.record import add_export
from graphkd.deploy.files import read_bundle
from graphkd.deploy.network import Layer, Network, network_of
from tests.deploy.bundles import ensemble, make_bundle, rows_of_every_size, sample_of, student

SHAPES = {  # norm, layers, features, hidden width, classes: 1 to 4 strips of 16 at a time, full ones and others
    "one layer": (student, "none", 1, 7, 1, 3),
    "one panel": (student, "layer", 2, 9, 48, 33),
    "several panels": (student, "batch", 3, 10, 150, 70),
    "members of one layer": (ensemble, "none", 1, 7, 1, 3),
    "members of several panels": (ensemble, "layer", 3, 10, 150, 70),
}


def exported(folder: Path, shape: str) -> tuple[Path, torch.nn.Module]:
    make, norm, layers, features, hidden, classes = SHAPES[shape]
    model = make(norm, layers, num_features=features, hidden_dim=hidden, num_classes=classes)
    bundle = make_bundle(folder, model, norm)
    export_bundle(bundle, "c", sample_of(model), allow_loss=True)
    return bundle, model


@pytest.mark.parametrize(
    "shape",
    [pytest.param(name, marks=pytest.mark.slow if name != "one panel" else ()) for name in SHAPES],
)
def test_dense_and_sparse_rows_against_torch_and_loops(tmp_path: Path, shape: str) -> None:
    bundle, model = exported(tmp_path, shape)
    x = rows_of_every_size(27, SHAPES[shape][3])
    with torch.no_grad():
        output = model(torch.from_numpy(x))
    expected, sizes = output.logits.numpy(), [each.logits.abs().amax(1) for each in (output, *output.members)]
    size = torch.stack(sizes).amax(0).unsqueeze(1).numpy()
    native, small = load_bundle(bundle, "native"), load_bundle(bundle, "native-int8")
    for rows in (x, x[:1], scipy.sparse.csr_matrix(x), scipy.sparse.csr_array(x)):
        wanted, scale = expected[: rows.shape[0]], size[: rows.shape[0]]
        assert (np.abs(native.logits(rows) - wanted) <= 1e-5 * scale + 1e-6).all()
    network, found = network_of(read_bundle(bundle)), small.logits(x)
    twins, clear = zip(*(int8_twin(network, row) for row in x), strict=True)
    # Where a value lies between two codes, rounding of float32 decides, and a code is a step of its own.
    bound = np.where(np.array(clear)[:, None], 1e-5, 1e-2) * size + 1e-5
    assert sum(clear) >= 5
    assert (np.abs(found - np.array(twins)) <= bound).all()
    np.testing.assert_array_equal(small.logits(scipy.sparse.csr_matrix(x)), found)


def int8_twin(network: Network, row: np.ndarray) -> tuple[np.ndarray, bool]:
    """One row, with whole numbers for weights and activations, as ``student.c`` describes it.

    Returns:
        The logits, and whether every activation is clearly nearer to one code than to the next.
    """
    outputs, clear = zip(*(int8_member(layers, row) for layers in network.members), strict=True)
    if network.alpha is None:
        return outputs[0], all(clear)
    z = torch.tensor(np.array(outputs), dtype=torch.float64)
    log_alpha = torch.from_numpy(network.alpha).double().log()
    return torch.logsumexp(z.log_softmax(dim=1) + log_alpha.unsqueeze(1), dim=0).numpy(), all(clear)


# Rounding of float32 moves a code of at most 255 by 1e-6 of it, times the few operations before it.
BETWEEN = 5e-4


def int8_member(layers: Sequence[Layer], row: np.ndarray) -> tuple[np.ndarray, bool]:
    h, clear = row.astype(np.float32), True
    for n, layer in enumerate(layers):
        small, codes = quantised(layer), 127 if n == 0 else 255
        top = np.float32(np.abs(h).max())
        inverse = np.float32(codes) / top if top > 1e-30 else np.float32(0)
        clear &= bool((np.abs(h * inverse % 1 - 0.5) > BETWEEN).all())
        whole = np.rint(h * inverse).astype(np.int64)
        sums = [sum(int(w) * int(c) for w, c in zip(line, whole, strict=True)) for line in small.codes]
        z = (top / np.float32(codes)) * small.scale * np.array(sums, dtype=np.float32) + layer.bias
        if layer.gain is not None:
            z = layer.gain * (z - z.mean()) / np.sqrt(z.var() + np.float32(1e-5)) + layer.shift
        h = np.maximum(z, 0) if layer.hidden else z
    return h, clear


def instructions() -> list[str]:
    """Compilers that do without the widest instructions of this machine, where it has any."""
    cpu = Path("/proc/cpuinfo")
    text = cpu.read_text() if cpu.is_file() else ""
    less = {" avx512_vnni": "cc -mno-avx512vnni", " avx512f": "cc -mno-avx512f"}
    less[" avx_vnni"] = "cc -mno-avx512f -mno-avxvnni"
    return [command for flag, command in less.items() if flag in text]


@pytest.mark.slow
def test_without_instructions_of_its_own_the_answer_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where all codes are the largest ones: two products of such do not fit into 16 bits."""
    model = student("batch", 3, num_features=10, hidden_dim=150, num_classes=70)
    with torch.no_grad():
        for layer in model.layers:
            layer.weight.copy_(0.125 * layer.weight[:, :1].sign())  # of one sign in a row
    bundle = make_bundle(tmp_path, model)
    export_bundle(bundle, "c", sample_of(model), allow_loss=True)
    x = np.concatenate([rows_of_every_size(45, 10), np.ones((1, 10), np.float32)])
    fast = [load_bundle(bundle, runtime).logits(x) for runtime in ("native", "native-int8")]
    twin = np.array([int8_twin(network_of(read_bundle(bundle)), row)[0] for row in x[-3:]])
    size = np.abs(fast[0]).max(axis=1, keepdims=True)
    assert (np.abs(fast[1][-3:] - twin) <= 1e-5 * size[-3:]).all()
    for command in ("cc -DGRAPHKD_PORTABLE", *instructions()):
        monkeypatch.setenv("CC", command)
        slow = [load_bundle(bundle, runtime).logits(x) for runtime in ("native", "native-int8")]
        assert (np.abs(slow[0] - fast[0]) <= 1e-5 * size).all()
        assert (np.abs(slow[1] - fast[1]) <= 1e-5 * size).all()


def test_it_has_to_be_exported_first(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path, student())
    for runtime in ("native", "native-int8"):
        with pytest.raises(GraphKDError, match=r"holds no c \(but nothing yet\): graphkd export RUN --to c"):
            load_bundle(bundle, runtime)
    add_export(
        read_bundle(bundle),
        "c",
        {"c/student.c": b"", "c/student.h": b""},
        {"parity": {"float32": {}}, "allow_loss": False},
    )
    with pytest.raises(
        GraphKDError, match="holds no 8-bit weights in C, which lost too much: use runtime='native'"
    ):
        load_bundle(bundle, "native-int8")


@pytest.mark.slow
def test_code_in_a_bundle_never_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes a bundle can also make its checksums."""
    model = student()
    bundle, x = make_bundle(tmp_path, model), torch.randn(4, 5)
    export_bundle(bundle, "c", sample_of(model), allow_loss=True)
    expected = load_bundle(bundle, "native").logits(x)
    record = read_bundle(bundle).exported("c")
    evil = {"c/student.c": b"#error\n", "c/student.h": b""}
    add_export(read_bundle(bundle), "c", evil, record)
    monkeypatch.setenv("GRAPHKD_CACHE", str(tmp_path / "cache"))
    np.testing.assert_array_equal(load_bundle(bundle, "native").logits(x), expected)


@pytest.mark.slow
def test_a_student_with_other_weights_is_compiled_anew(tmp_path: Path) -> None:
    first, second = student("none"), student("layer")
    answers = []
    for n, (model, norm) in enumerate(((first, "none"), (second, "layer"))):
        bundle = make_bundle(tmp_path / str(n), model, norm)
        export_bundle(bundle, "c", sample_of(model), allow_loss=True)
        x = torch.ones(1, 5)
        answers.append(load_bundle(bundle, "native").logits(x))
        torch.testing.assert_close(torch.from_numpy(answers[-1]), model(x).logits.detach(), atol=1e-5, rtol=1e-5)
    assert (answers[0] != answers[1]).any()
