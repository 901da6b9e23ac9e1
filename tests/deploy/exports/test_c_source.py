"""The exported C, compiled by itself and used from a program of C."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from graphkd import GraphKDError
from graphkd.deploy.exports.c_source import c_sources
from graphkd.deploy.exports.stamp import Stamp
from graphkd.deploy.files import read_bundle
from graphkd.deploy.network import Layer, Network, network_of
from graphkd.students import MLP, Ensemble
from tests.deploy.bundles import ensemble, make_bundle, student

STRICT = ("cc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-O1")


def network(folder: Path, norm: str = "batch", make: Callable[..., MLP | Ensemble] = student) -> Network:
    return network_of(read_bundle(make_bundle(folder, make(norm), norm)))


STAMP = Stamp("stored", False, 0, ("0", "1", "2"))


def build(folder: Path, files: dict[str, bytes], *arguments: str) -> str:
    for name, text in files.items():
        (folder / name).write_bytes(text)
    sources = [name for name in files if name.endswith(".c")]
    done = subprocess.run(
        [*STRICT, *arguments, *sources, "-o", "program", "-lm"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return subprocess.run(["./program"], cwd=folder, capture_output=True, text=True, check=True).stdout


MAIN = b"""
#include <stdio.h>
#include "student.h"

int main(void)
{
    float x[GRAPHKD_FEATURES] = {0.5f, -1.0f, 0.0f, 2.0f, 0.25f}, dense[GRAPHKD_CLASSES], logits[GRAPHKD_CLASSES];
    int32_t column[] = {3, 0, 1, 4};
    float value[] = {2.0f, 0.5f, -1.0f, 0.25f};
    int i;
    graphkd_logits(x, 1, dense);
    graphkd_logits_sparse(column, value, 4, logits);
    for (i = 0; i < GRAPHKD_CLASSES; i++)
        printf("%.9g %.9g\\n", dense[i], logits[i]);
    printf("%d\\n", (int)graphkd_argmax(dense));
    graphkd_softmax(dense, 1, dense);
    for (i = 0; i < GRAPHKD_CLASSES; i++)
        printf("%.9g\\n", dense[i]);
    return 0;
}
"""


def test_layers_that_overflow_a_stack_are_refused() -> None:
    zeros = np.zeros((700_000, 1), np.float32)
    wide = Network((Layer(zeros, zeros[:, 0], True), Layer(zeros.T, zeros[:1, 0], False)))
    for int8 in (False, True):
        with pytest.raises(GraphKDError, match=r"2\d,\d+,\d+ bytes of stack, 1,048,576 are allowed"):
            c_sources(wide, STAMP, int8)


@pytest.mark.parametrize("make", [student, ensemble])
@pytest.mark.parametrize("flags", [(), ("-DGRAPHKD_PORTABLE",)])
def test_a_program_of_c_gets_the_student_s_answer(
    tmp_path: Path, make: Callable[..., MLP | Ensemble], flags: tuple[str, ...]
) -> None:
    files = c_sources(network(tmp_path, make=make), STAMP, int8=False)
    assert "graphkd_int8" not in files["student.h"].decode().split("#if GRAPHKD_HAS_INT8")[0]
    *pairs, best, p0, p1, p2 = build(tmp_path, {**files, "main.c": MAIN}, *flags).splitlines()
    model = make()
    logits = model(torch.tensor([[0.5, -1, 0, 2, 0.25]])).logits
    expected = logits.detach().numpy()[0]
    for pair, value in zip(pairs, expected, strict=True):
        np.testing.assert_allclose([float(word) for word in pair.split()], value, rtol=1e-5)
    assert int(best) == expected.argmax()
    proba = logits.softmax(dim=1).detach().numpy()[0]
    np.testing.assert_allclose([float(p0), float(p1), float(p2)], proba, rtol=1e-5)


@pytest.mark.parametrize("make", [student, ensemble])
def test_its_own_benchmark(tmp_path: Path, make: Callable[..., MLP | Ensemble]) -> None:
    text = build(tmp_path, c_sources(network(tmp_path, "layer", make), STAMP, int8=True), "-DGRAPHKD_BENCH")
    lines = [line.rsplit(" p50 ")[0].strip() for line in text.splitlines()]
    assert lines == ["fp32", "fp32 sparse", "int8", "int8 sparse"]


@pytest.mark.parametrize("make", [student, ensemble])
def test_files_hold_the_lines_of_their_kind_of_student(
    tmp_path: Path, make: Callable[..., MLP | Ensemble]
) -> None:
    for content in c_sources(network(tmp_path, make=make), STAMP, int8=True).values():
        assert b"@*/" not in content
        assert (b"GRAPHKD_MEMBERS" in content) is (make is ensemble)


@pytest.mark.parametrize("make", [student, ensemble])
def test_no_function_allocates_or_keeps_anything(tmp_path: Path, make: Callable[..., MLP | Ensemble]) -> None:
    code = (
        c_sources(network(tmp_path, make=make), STAMP, int8=True)["student.c"]
        .decode()
        .split("#ifdef GRAPHKD_BENCH\n#include")[0]
    )
    assert "alloc" not in code.replace("allocates", "")
    assert not [
        line for line in code.splitlines() if line.startswith("static") and "const" not in line and "(" not in line
    ]
