import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from graphkd import system
from graphkd.system import Memory, cpu_name, existing, free_disk, memory, readable

GIB = 2**30


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes files of a made-up system: 16 GiB, 8 of them free."""
    monkeypatch.setattr(system, "PROC", tmp_path / "proc")
    monkeypatch.setattr(system, "CGROUP", tmp_path / "cgroup")

    def write(**files: str) -> None:
        for name, text in {"proc/meminfo": "MemTotal: 16777216 kB\nMemAvailable: 8388608 kB\n", **files}.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)

    return write


def test_without_limits_it_is_what_the_system_states(made_up) -> None:
    assert memory() is None
    made_up(**{"proc/self/cgroup": "0::/user\n", "cgroup/user/memory.max": "max\n"})
    assert memory() == Memory(8 * GIB, 16 * GIB)
    made_up(**{"proc/meminfo": "MemTotal: 4 kB\nMemAvailable: 2 kB\nSwapFree: 1 kB\n"})
    assert memory() == Memory(2048, 4096, 1024)
    made_up(**{"proc/meminfo": "nonsense\n"})
    assert memory() is None


def test_a_limit_of_any_group_above_counts_less_what_the_page_cache_can_give_back(made_up) -> None:
    made_up(
        **{
            "proc/self/cgroup": "0::/job/step\n",
            "cgroup/job/memory.max": f"{4 * GIB}\n",
            "cgroup/job/memory.current": f"{3 * GIB}\n",
            "cgroup/job/memory.stat": f"anon 1\nactive_file {GIB}\ninactive_file {GIB // 2}\n",
            "cgroup/job/step/memory.max": "max\n",
        }
    )
    assert memory() == Memory(5 * GIB // 2, 4 * GIB)


def test_version_1_in_a_container_that_sees_the_outermost_group_only(made_up) -> None:
    made_up(
        **{
            "proc/self/cgroup": "5:cpu:/docker/abc\n4:memory:/docker/abc\n",
            "cgroup/memory/memory.limit_in_bytes": f"{2 * GIB}\n",
            "cgroup/memory/memory.usage_in_bytes": f"{3 * GIB}\n",
            "cgroup/memory/memory.stat": "total_inactive_file 0\n",
        }
    )
    assert memory() == Memory(0, 2 * GIB)


def test_disk_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    assert existing(tmp_path / "a" / "b") == tmp_path
    assert free_disk(tmp_path / "a" / "b") > 0


def test_what_is_no_disk_has_no_free_space_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(total=0, free=0))
    assert free_disk(Path("/proc/run")) is None


@pytest.mark.parametrize(
    ("size", "text"), [(5, "5 bytes"), (1536, "1.5 KiB"), (31 * GIB, "31.0 GiB"), (2**62, "4,096.0 PiB")]
)
def test_sizes_for_people(size: int, text: str) -> None:
    assert readable(size) == text


def test_a_cpu_has_a_name(made_up) -> None:
    made_up(**{"proc/cpuinfo": "processor : 0\nmodel name\t: Some CPU: 3\nmodel name\t: Another\n"})
    assert cpu_name() == "Some CPU: 3"
    made_up(**{"proc/cpuinfo": "processor : 0\n"})
    assert cpu_name()
