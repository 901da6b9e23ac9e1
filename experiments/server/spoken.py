"""Bytes on a socket, and what is wrong with an answer to them."""

from __future__ import annotations

import re
import socket

STATUS = re.compile(rb"^HTTP/1\.[01] (\d{3}) ", re.MULTILINE)
LEAKS = (b"Traceback", b'File "', b"site-packages", b"Error(", b".py", b"0x7f")
"""What no answer may hold."""


def spoken(port: int, content: bytes, seconds: float = 0.5) -> bytes:
    """All that comes back to ``content`` after which nothing more is sent."""
    found = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.settimeout(seconds)
        try:
            sock.sendall(content)
            sock.shutdown(socket.SHUT_WR)
            while part := sock.recv(65536):
                found += part
        except (TimeoutError, ConnectionResetError, BrokenPipeError):
            pass
    return found


def faults(answer: bytes) -> list[str]:
    """5xx, or a word of the server's inside; the page's own files and numbers aside."""
    found = [f"status {status.decode()}" for status in STATUS.findall(answer) if status.startswith(b"5")]
    return found + [f"{leak!r} in an answer" for leak in LEAKS if leak in answer]


def statuses(answer: bytes) -> list[int]:
    """Of all answers in what came back."""
    return [int(status) for status in STATUS.findall(answer)]
