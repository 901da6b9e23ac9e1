"""Limits on the bytes of a body that are not content: chunk sizes, chunk extensions and trailers."""

from __future__ import annotations

FREE = 65536
"""Overhead in bytes that any body may have, in total and consecutively."""

EACH = 8
"""Additional overhead per byte of content: a chunk of one byte takes six."""


class Framing:
    """Count of the overhead of one request at a time."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Resets the counts for the next request's body."""
        self.content = self._around = self._stretch = 0

    def fits(self, size: int, content: int) -> bool:
        """Counts received bytes, and returns whether the overhead is within its limits.

        Args:
            size: number of received bytes.
            content: number of content bytes among them.
        """
        self._around += size - content
        self._stretch = 0 if content else self._stretch + size
        return self._stretch <= FREE and self._around <= FREE + EACH * self.content
