"""Stand-ins for parts of a request: a transport whose close does not cut off the response, and a header sink."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphkd.deploy.server.connection import Connection


class Nowhere(list[tuple[bytes, bytes]]):
    """A list of headers that discards what is appended."""

    def append(self, _: tuple[bytes, bytes]) -> None:
        """Discards the header."""


NOWHERE = Nowhere()


class Lingering:
    """A request's transport, whose ``close`` waits until the response has been sent.

    Args:
        connection: of the request.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection, self._transport = connection, connection.transport

    def write(self, data: bytes) -> None:
        """Writes a part of the response; ignored if the connection is closing."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def is_closing(self) -> bool:
        """Returns whether nothing more can be sent."""
        return self._connection.deaf or self._transport.is_closing()

    def close(self) -> None:
        """Closes the connection after the response."""
        self._connection.linger()


def refusal(text: str) -> bytes:
    """Returns the response to bytes that are not an HTTP request."""
    head = (
        f"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {len(text)}\r\n"
    )
    return f"{head}connection: close\r\n\r\n{text}".encode("ascii")
