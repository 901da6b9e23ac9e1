"""What takes the place of parts of a request: an end that leaves the answer whole, headers that are not kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphkd.deploy.server.connection import Connection


class Nowhere(list[tuple[bytes, bytes]]):
    """Headers that nobody keeps."""

    def append(self, _: tuple[bytes, bytes]) -> None:
        """Forgets it."""


NOWHERE = Nowhere()


class Lingering:
    """A request's view of its connection, which does not close it in the middle of what is being sent.

    Args:
        connection: the request's.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection, self._transport = connection, connection.transport

    def write(self, data: bytes) -> None:
        """A part of the answer; nothing where the connection was cut."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def is_closing(self) -> bool:
        """Whether nothing more can be answered."""
        return self._connection.deaf or self._transport.is_closing()

    def close(self) -> None:
        """After the answer."""
        self._connection.linger()


def refusal(text: str) -> bytes:
    """The answer to what is no request."""
    head = (
        f"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {len(text)}\r\n"
    )
    return f"{head}connection: close\r\n\r\n{text}".encode("ascii")
