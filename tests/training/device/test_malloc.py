import platform
import resource

import pytest
import torch

from graphkd.training.device.malloc import keep_freed_memory

ROUNDS, ENTRIES = 20, 2**20


def faults() -> int:
    """Pages that the system had to fetch for tables that come and go."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(ROUNDS):
        torch.ones(ENTRIES).add_(1)
        torch.ones(4 * ENTRIES).add_(1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_what_is_freed_is_used_again_within_the_block_only() -> None:
    with keep_freed_memory():
        faults()
        within = faults()
    assert within < ROUNDS
    assert faults() > 5 * ROUNDS


def test_another_system_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr("ctypes.CDLL", None)
    with keep_freed_memory():
        pass


def test_who_has_set_the_library_is_not_overruled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "65536")
    monkeypatch.setattr("ctypes.CDLL", None)
    with keep_freed_memory():
        pass
