"""Connections that do not wait for ever, and heads of requests that end."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 65536
"""Of a request line and its headers."""


HEAD_SECONDS = 10.0
"""In which they must be here."""


class Connection(HttpToolsProtocol):
    """Closes a connection whose next head is too long or too slow; uvicorn itself waits for it without an end."""

    _timer: asyncio.TimerHandle | None = None
    _size = 0

    def connection_made(self, transport: Any) -> None:
        """From here on a head is waited for."""
        super().connection_made(transport)
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._end()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """The first byte of the next head on a connection that was kept."""
        super().on_message_begin()
        self._begin()

    def on_headers_complete(self) -> None:
        """The head is here."""
        self._end()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Counts what has come if it did not end the head."""
        super().data_received(data)
        if self._timer is None or self.transport.is_closing():
            return
        self._size += len(data)
        if self._size > HEAD_BYTES:
            self.send_400_response("The head of the request is too long.")

    def _begin(self) -> None:
        if self._timer is None:
            self._size = 0
            self._timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
