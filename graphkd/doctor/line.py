"""One line of the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """Result of one check.

    Args:
        state: ``ok``, ``missing``, ``broken``, or ``note`` for other information.
        name: of what was checked.
        text: version, path or reason, and what to do.
    """

    state: str
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.state:9}{self.name:21}{self.text}"


def guarded(name: str, look: Callable[[], list[Line]]) -> list[Line]:
    """Returns the lines of a check, or one with the exception that it raised."""
    try:
        return look()
    except Exception as error:  # any failure on a user's machine is to be reported
        return [Line("broken", name, f"cannot be looked at: {reason(error)}")]


def reason(error: Exception) -> str:
    """Formats an exception as part of a line, with its type where its message alone is not clear."""
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}"
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
