"""What is asked before a kernel of our own is used, and whether all of them can be compiled for a GPU."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch

from graphkd.backends import by_triton, has_triton

CUDA, CPU = torch.device("cuda"), torch.device("cpu")


@pytest.fixture(autouse=True)
def asked_again() -> Iterator[None]:
    has_triton.cache_clear()
    yield
    has_triton.cache_clear()


def test_our_kernels_run_on_a_gpu_that_triton_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("triton")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for capability, known in (((9, 0), True), ((7, 0), True), ((6, 1), False)):
        has_triton.cache_clear()
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda capability=capability: capability)
        assert (by_triton(CUDA), by_triton(CPU)) == (known, False)


def test_without_triton_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert not by_triton(CUDA)


@pytest.mark.slow
def test_every_kernel_compiles_for_a_gpu() -> None:
    """All that can be seen of them where there is none: the interpreter takes what a compiler does not."""
    pytest.importorskip("triton")
    done = subprocess.run(
        [sys.executable, "-m", "tests.compiled"],
        env={**os.environ, "TRITON_INTERPRET": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(done.stdout.splitlines()) == 14
