"""All checks of ``graphkd doctor``, in order."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from graphkd.doctor.cluster import cluster
from graphkd.doctor.folders import cache, data_sets, disk
from graphkd.doctor.hardware import accelerators, compilers, cpus, main_memory
from graphkd.doctor.line import Line, guarded
from graphkd.doctor.packages import OPTIONAL, REQUIRED, Package, look_at, versions


@dataclass(frozen=True)
class Report:
    """Results of all checks.

    Args:
        parts: Python and the required packages.
        rest: optional packages, the machine, the folders.
    """

    parts: list[Line]
    rest: list[Line]

    @property
    def sound(self) -> bool:
        """Whether every required part works."""
        return all(line.state == "ok" for line in self.parts)

    @property
    def lines(self) -> list[Line]:
        """All lines, the required parts first."""
        return [*self.parts, *self.rest]


def examine(data_dir: str, cache_dir: str | None) -> Report:
    """Checks packages, machine and folders.

    Args:
        data_dir: as of ``graphkd distill``.
        cache_dir: likewise; None is the default one.
    """
    parts = versions() + _packages(REQUIRED)
    rest = _packages(OPTIONAL)
    rest += guarded("cpus", cpus) + guarded("memory", main_memory) + guarded("cuda", accelerators)
    rest += guarded("c compiler", compilers) + guarded("cluster", cluster)
    rest += guarded("data sets", lambda: data_sets(data_dir, cache_dir))
    rest += guarded("cache folder", lambda: cache(cache_dir))
    rest += guarded("current disk", lambda: [disk("current disk", Path.cwd())])
    return Report(parts, rest)


def _packages(packages: tuple[Package, ...]) -> list[Line]:
    lines: list[Line] = []
    for package in packages:
        lines += guarded(package.name, functools.partial(look_at, package))
    return lines
