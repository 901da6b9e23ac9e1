"""Parts in other installed packages, found by entry points."""

from __future__ import annotations

import functools
import inspect
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from graphkd.errors import GraphKDError

GROUPS = tuple(
    f"graphkd.{kind}"
    for kind in (
        *("teachers", "methods", "encoders", "matching"),
        *("influence", "transforms", "calibration", "balance", "terms"),
    )
)
"""Groups of entry points. There is none for students: a bundle loads graphkd's own and nothing else."""


@functools.cache
def installed_parts(group: str) -> dict[str, Any]:
    """Returns the parts that other packages offer in a group.

    A package states them in its ``pyproject.toml``::

        [project.entry-points."graphkd.methods"]
        mine = "my_package.mine:Mine"

    Args:
        group: such as ``graphkd.methods``; another one than ``GROUPS`` has none.

    Returns:
        name → part.

    Raises:
        GraphKDError: a part cannot be imported, or two packages offer one name.
    """
    parts: dict[str, Any] = {}
    for entry in _scanned().select(group=group) if group in GROUPS else ():
        if entry.name in parts:
            raise GraphKDError(f"two installed packages offer {group} '{entry.name}': uninstall one")
        parts[entry.name] = _loaded(entry, group)
    return parts


@functools.cache
def _scanned() -> Any:
    """Every entry point that is installed: looking for them takes milliseconds, for each group or for all."""
    return entry_points()


def _loaded(entry: EntryPoint, group: str) -> Any:
    package = entry.dist.name if entry.dist is not None else entry.value
    try:
        part = entry.load()
    except Exception as error:  # code of another package can fail in any way
        reason = (str(error).splitlines() or [""])[0]
        raise GraphKDError(
            f"{group} '{entry.name}' of the installed package {package} cannot be imported "
            f"({type(error).__name__}: {reason}): correct it, or uninstall {package}"
        ) from error
    name = part.__name__ if inspect.isfunction(part) else getattr(part, "name", None)
    if name != entry.name:
        raise GraphKDError(
            f"{group} '{entry.name}' of the installed package {package} calls itself {name!r}: give both one name"
        )
    return part


def is_installed(part: Any) -> bool:
    """Whether a class or function is one that an installed package offers."""
    return any(part is other for group in GROUPS for other in installed_parts(group).values())


def sources_of(part: Any) -> list[Path]:
    """Returns the files that a part's behaviour may depend on: all of its package, or its only module.

    Args:
        part: a class or function.
    """
    file = inspect.getsourcefile(part)
    if file is None:
        return []
    depth = part.__module__.count(".")
    path = Path(file)
    depth = depth - 1 if path.name != "__init__.py" else depth
    return sorted(path.parents[depth].rglob("*.py")) if depth >= 0 else [path]
