"""Bytes of a request that are no content: sizes of chunks, their extensions, trailers."""

from __future__ import annotations

FREE = 65536
"""Bytes without content that any body may have, together and at a stretch."""

EACH = 8
"""And for every byte of content: a chunk of one byte takes six."""


class Framing:
    """Counts them for one request at a time."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """The next request's body."""
        self.content = self._around = self._stretch = 0

    def fits(self, size: int, content: int) -> bool:
        """Whether the body may go on.

        Args:
            size: bytes that have come.
            content: bytes of content among them.
        """
        self._around += size - content
        self._stretch = 0 if content else self._stretch + size
        return self._stretch <= FREE and self._around <= FREE + EACH * self.content
