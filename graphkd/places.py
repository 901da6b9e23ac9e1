"""Whether two paths lead to one place, however they are spelled."""

from __future__ import annotations

import os
from pathlib import Path


def same_place(one: Path, other: Path) -> bool:
    """Whether two paths are one file, or would be once written: ``..``, links and hard links are followed."""
    one, other = _resolved(one), _resolved(other)
    return one == other or _same(one, other) or (one.name == other.name and _same(one.parent, other.parent))


def lies_in(place: Path, folder: Path) -> bool:
    """Whether a path is that folder, or leads into it."""
    return any(same_place(each, folder) for each in (place, *_resolved(place).parents))


def _same(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:  # one of them is not there
        return False


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # links that lead in a circle
        return path.absolute()
