"""Reading of request bodies, with limits on time and size; compressed bodies are refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect, Request

from graphkd.deploy.server.errors import RefusedError
from graphkd.deploy.server.load import LARGE, Load

JSON, BINARY = "application/json", "application/octet-stream"


@asynccontextmanager
async def body_of(request: Request, load: Load, *types: str) -> AsyncIterator[bytes]:
    """Yields the body of a request, and counts the request as in progress until the block ends.

    Args:
        request: whose body has not been read.
        load: of this worker.
        types: accepted content types; a request without the header is accepted.

    Raises:
        RefusedError: 408, 413, 415 or 503; 400 if the client disconnected.
    """
    _check_head(request, load, types)
    parts: list[bytes] = []
    size = 0
    try:
        try:
            async with asyncio.timeout(load.limits.body_seconds):
                async for part in request.stream():
                    load.take(len(part))
                    size += len(part)
                    _check_size(size, load)
                    parts.append(part)
        except TimeoutError:
            raise RefusedError(408, f"the body did not come within {load.limits.body_seconds:g} s") from None
        except ClientDisconnect:
            raise RefusedError(400, "the body ended before its end") from None
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        parts.clear()
        with load.request():
            if size < LARGE:
                yield body
                return
            async with load.turns:
                yield body
    finally:
        load.give(size)


def _check_head(request: Request, load: Load, types: tuple[str, ...]) -> None:
    """Checks what is known before the first byte of the body: content type, encoding and length."""
    headers = request.headers
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", ""):
        raise RefusedError(415, "nothing is unpacked here: send the body as it is", "Content-Encoding")
    kind = headers.get("content-type")
    if kind is not None and kind.partition(";")[0].strip().lower() not in types:
        raise RefusedError(415, f"send {' or '.join(types)}", "Content-Type")
    length = headers.get("content-length", "")
    if length.isdecimal() and len(length) < 20:
        _check_size(int(length), load)


def _check_size(size: int, load: Load) -> None:
    if size > load.limits.body:
        raise RefusedError(413, f"a body may have {load.limits.body} bytes: send fewer rows at a time")
