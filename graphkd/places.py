"""Comparison of paths by the files that they refer to."""

from __future__ import annotations

import os
from pathlib import Path


def same_place(one: Path, other: Path) -> bool:
    """Returns whether two paths are one file, or would be once written; ``..`` and (hard) links are resolved."""
    one, other = _resolved(one), _resolved(other)
    return one == other or _same(one, other) or (one.name == other.name and _same(one.parent, other.parent))


def lies_in(place: Path, folder: Path) -> bool:
    """Returns whether a path is a folder, or lies in it."""
    return any(same_place(each, folder) for each in (place, *_resolved(place).parents))


def _same(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:  # one of them does not exist
        return False


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # cyclic links
        return path.absolute()
