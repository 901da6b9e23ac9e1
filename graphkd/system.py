"""Memory, disk and CPUs of this machine, from system files alone; no heavy package is imported."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
CGROUP = Path("/sys/fs/cgroup")

PAGE_CACHE = ("active_file", "inactive_file")
"""Parts of a control group's usage that are reclaimed when a process needs memory."""


@dataclass(frozen=True)
class Memory:
    """Memory available to a process.

    Args:
        free: bytes available without swapping.
        total: bytes.
        swap: free bytes of swap.
    """

    free: int
    total: int
    swap: int = 0


def memory() -> Memory | None:
    """Returns the system's memory, or a control group's limit where that is lower; None where neither is known.

    Containers and job schedulers set such limits: a process that exceeds one is killed without a message.
    """
    try:
        meminfo = _numbers(PROC / "meminfo")
        available = Memory(
            1024 * meminfo["MemAvailable"], 1024 * meminfo["MemTotal"], 1024 * meminfo.get("SwapFree", 0)
        )
    except (OSError, ValueError, KeyError):  # not Linux
        return None
    for group in _groups():
        limit = _limit(group)
        if limit is not None:
            free, total = max(0, limit.free), limit.total
            available = Memory(min(available.free, free), min(available.total, total), available.swap)
    return available


def free_disk(path: Path) -> int | None:
    """Returns the free bytes on the disk of ``path``, which need not exist yet; None if unknown."""
    try:
        usage = shutil.disk_usage(existing(path))
    except OSError:
        return None
    return usage.free if usage.total else None  # file systems such as /proc have no disk


def existing(path: Path) -> Path:
    """Returns ``path``, or its nearest existing parent folder."""
    path = path.absolute()
    return next((candidate for candidate in (path, *path.parents) if candidate.exists()), path)


def usable_cpus() -> int:
    """Returns the number of CPUs that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_name() -> str:
    """Returns the CPU's model name, else its architecture."""
    try:
        lines = (PROC / "cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def readable(size: float) -> str:
    """Formats a number of bytes, such as ``31.0 GiB``."""
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB"):
        if size < 1024 or unit == "PiB":
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"


def _groups() -> Iterator[Path]:
    """Yields the folders of this process's memory control groups, the outermost last: each may have a limit.

    Inside a container the path is the host's, of which only the outermost folder is visible.
    """
    try:
        lines = (PROC / "self/cgroup").read_text().splitlines()
    except OSError:
        return
    for _, controllers, path in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        if controllers == "" or "memory" in controllers.split(","):
            root = CGROUP if controllers == "" else CGROUP / "memory"
            inner = root / path.lstrip("/")
            yield from [inner, *(parent for parent in inner.parents if parent.is_relative_to(root))]


def _limit(group: Path) -> Memory | None:
    """Reads the limit of a control group, of version 2 or 1."""
    names = (("memory.max", "memory.current", ""), ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_"))
    for limit, usage, prefix in names:
        try:
            total, used = (int((group / name).read_text()) for name in (limit, usage))
            cached = _numbers(group / "memory.stat")
        except (OSError, ValueError):  # missing, or "max"
            continue
        return Memory(total - used + sum(cached.get(prefix + part, 0) for part in PAGE_CACHE), total)
    return None


def _numbers(path: Path) -> dict[str, int]:
    """Parses lines such as ``MemTotal: 24683656 kB`` or ``inactive_file 4096``."""
    lines = (line.split() for line in path.read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) for words in lines if len(words) > 1}
