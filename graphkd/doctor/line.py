"""A finding: one line of the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """What was found out about one thing.

    Args:
        state: ``ok``, ``missing``, ``broken``, or ``note`` for a fact that is neither.
        name: of the thing.
        text: version, place or reason, and what to do.
    """

    state: str
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.state:9}{self.name:21}{self.text}"


def guarded(name: str, look: Callable[[], list[Line]]) -> list[Line]:
    """What ``look`` finds, or a line that says why it could not look."""
    try:
        return look()
    except Exception as error:  # whatever is broken on a user's machine is what we are here to say
        return [Line("broken", name, f"cannot be looked at: {reason(error)}")]


def reason(error: Exception) -> str:
    """An exception as part of a line: what no package says of itself is its kind."""
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}"
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
