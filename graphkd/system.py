"""What this machine has: memory and disk. Reads files of the system only; loads nothing."""

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
"""Parts of a group's usage that give way when a process needs memory."""


@dataclass(frozen=True)
class Memory:
    """Memory that a process here can have.

    Args:
        free: bytes, without any that would have to be swapped out.
        total: bytes.
        swap: free bytes of swap.
    """

    free: int
    total: int
    swap: int = 0


def memory() -> Memory | None:
    """What the system states, or a control group's limit where that is lower; nothing where neither is known.

    Containers and job schedulers set such limits: beyond one, a process is ended without a message.
    """
    try:
        known = _numbers(PROC / "meminfo")
        found = Memory(1024 * known["MemAvailable"], 1024 * known["MemTotal"], 1024 * known.get("SwapFree", 0))
    except (OSError, ValueError, KeyError):  # another system than Linux
        return None
    for group in _groups():
        limit = _limit(group)
        if limit is not None:
            free, total = max(0, limit.free), limit.total
            found = Memory(min(found.free, free), min(found.total, total), found.swap)
    return found


def free_disk(path: Path) -> int | None:
    """Bytes that can be written to the disk of ``path``, which need not be there yet; nothing if unknown."""
    try:
        usage = shutil.disk_usage(existing(path))
    except OSError:
        return None
    return usage.free if usage.total else None  # places such as /proc are no disk


def existing(path: Path) -> Path:
    """``path``, or the nearest folder above it that is there."""
    path = path.absolute()
    return next((place for place in (path, *path.parents) if place.exists()), path)


def usable_cpus() -> int:
    """CPUs that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_name() -> str:
    """What the CPU calls itself, else its architecture."""
    try:
        lines = (PROC / "cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def readable(size: float) -> str:
    """Bytes for users: ``31.0 GiB``."""
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB"):
        if size < 1024 or unit == "PiB":
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"


def _groups() -> Iterator[Path]:
    """Folders of this process's control groups for memory, the outermost last: each may have a limit.

    Inside a container the path is the host's, of which only the outermost folder can be seen.
    """
    try:
        lines = (PROC / "self/cgroup").read_text().splitlines()
    except OSError:
        return
    for _, controllers, path in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        if controllers == "" or "memory" in controllers.split(","):
            root = CGROUP if controllers == "" else CGROUP / "memory"
            inner = root / path.lstrip("/")
            yield from [inner, *(place for place in inner.parents if place.is_relative_to(root))]


def _limit(group: Path) -> Memory | None:
    """Of version 2 of control groups, or of version 1."""
    names = (("memory.max", "memory.current", ""), ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_"))
    for limit, usage, prefix in names:
        try:
            total, used = (int((group / name).read_text()) for name in (limit, usage))
            cached = _numbers(group / "memory.stat")
        except (OSError, ValueError):  # not there, or "max"
            continue
        return Memory(total - used + sum(cached.get(prefix + part, 0) for part in PAGE_CACHE), total)
    return None


def _numbers(path: Path) -> dict[str, int]:
    """Lines such as ``MemTotal: 24683656 kB`` or ``inactive_file 4096``."""
    lines = (line.split() for line in path.read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) for words in lines if len(words) > 1}
