"""Limits, and clients that are slow, lie or go away, as bytes on a socket."""

import gzip
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from graphkd.deploy.server.settings import Limits
from tests.deploy.server.serving import ask, in_thread

ROW = [0.5, 1, 0, 0, 2]
LIMITS = Limits(body=4096, rows=8, head_seconds=0.5, body_seconds=0.5, idle_seconds=1)


@pytest.fixture(scope="module")
def port(raw_bundle: Path) -> Iterator[int]:
    with in_thread(raw_bundle, limits=LIMITS) as port:
        yield port


def spoken(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """All that comes back until the server closes, or is silent for a second."""
    with socket.create_connection(("127.0.0.1", port), timeout=3) as sock:
        found = b""
        try:
            for part in parts:
                sock.sendall(part)
                time.sleep(pause)
            while part := sock.recv(65536):
                found += part
        except (TimeoutError, ConnectionError):
            pass
        return found


def post(body: bytes, *headers: str, length: int | None = None) -> bytes:
    lines = ["POST /predict HTTP/1.1", "Host: localhost", "Content-Type: application/json", *headers]
    lines.append("Connection: close")
    if length != -1:
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunked(*chunks: bytes) -> bytes:
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return post(body, "Transfer-Encoding: chunked", length=-1)


GOOD = json.dumps({"rows": [ROW]}).encode()


def test_a_body_in_pieces_is_whole(port: int) -> None:
    assert b" 200 " in spoken(port, chunked(GOOD[:9], GOOD[9:], b""))
    whole = post(GOOD)
    assert b" 200 " in spoken(port, whole[:50], whole[50:-3], whole[-3:], pause=0.05)


def test_too_many_bytes(port: int) -> None:
    for answer in (
        spoken(port, post(b" " * 5000)),
        spoken(port, post(b"", length=5000)),  # said, not sent
        spoken(port, chunked(*[b" " * 1000] * 5, b"")),
    ):
        assert b" 413 " in answer
        assert b"a body may have 4096 bytes" in answer
    assert ask(port, "/predict", {"rows": [ROW]}).status == 200


def test_too_many_rows(port: int) -> None:
    answer = ask(port, "/predict", {"rows": [ROW] * 9})
    assert answer.status == 413
    assert answer.json["error"] == "rows: 9 rows, and a request may have 8: send fewer"


def test_a_body_that_does_not_come(port: int) -> None:
    assert b" 408 " in spoken(port, post(GOOD, length=len(GOOD) + 1))
    assert b" 408 " in spoken(port, chunked(GOOD))


def test_a_body_that_ends_before_its_end_leaves_nothing(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(post(GOOD, length=1000))
    assert ask(port, "/predict", {"rows": [ROW]}).status == 200


def test_more_than_was_said_is_no_part_of_the_body(port: int) -> None:
    answer = spoken(port, post(GOOD + b"garbage", length=len(GOOD)).replace(b"Connection: close\r\n", b""))
    assert answer.count(b"HTTP/1.1 400 ") == 1


ENDS = {
    "an answer": (post(GOOD + b" " * 400), b" 200 "),
    "in pieces": (chunked(GOOD, b" " * 400, b""), b" 200 "),
    "no JSON": (post(b"{" * 400), b" 400 "),
    "a row of another width": (post(json.dumps({"rows": [[1] * 100]}).encode()), b" 422 "),
    "too many rows": (post(json.dumps({"rows": [ROW] * 20}).encode()), b" 413 "),
    "too many bytes in pieces": (chunked(*[b" " * 400] * 11, b""), b" 413 "),
    "no such thing": (post(GOOD + b" " * 400).replace(b"/predict", b"/predikt"), b" 404 "),
    "content of another kind": (post(GOOD + b" " * 400).replace(b"application/json", b"text/plain"), b" 415 "),
    "an end that does not come": (post(b" " * 400, length=500), b" 408 "),
    "a chunk that does not come": (chunked(b" " * 400), b" 408 "),
}


@pytest.mark.parametrize("end", ENDS)
def test_bytes_that_came_are_given_back_however_a_request_ends(end: str, raw_bundle: Path) -> None:
    """More of them in all than a worker may hold at a time; one that goes away in between, too."""
    request, expected = ENDS[end]
    limits = Limits(body=4096, rows=8, body_seconds=0.1, bytes_waiting=5000)
    with in_thread(raw_bundle, limits=limits) as port:
        for _ in range(5000 // 400 + 2):
            assert expected in spoken(port, request)
            with socket.create_connection(("127.0.0.1", port)) as sock:
                sock.sendall(post(b" " * 400, length=1000))
        assert b" 200 " in spoken(port, post(GOOD + b" " * 3000))


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x"])
def test_other_content(port: int, kind: str) -> None:
    answer = ask(port, "/predict", GOOD, headers={"Content-Type": kind})
    assert (answer.status, answer.json["field"]) == (415, "Content-Type")


def test_json_with_a_charset(port: int) -> None:
    assert ask(port, "/predict", GOOD, headers={"Content-Type": "Application/JSON; charset=utf-8"}).status == 200


def test_nothing_is_unpacked(port: int) -> None:
    answer = ask(port, "/predict", gzip.compress(b" " * 10**6), headers={"Content-Encoding": "gzip"})
    assert (answer.status, answer.json["field"]) == (415, "Content-Encoding")


def test_a_head_that_does_not_end(port: int) -> None:
    begin = time.monotonic()
    assert spoken(port, b"") == b""
    assert spoken(port, *[b"G", b"E", b"T"], pause=0.2) == b""
    assert spoken(port, b"GET / HTTP/1.1\r\n", *[b"X: y\r\n"] * 4, pause=0.2) == b""
    assert time.monotonic() - begin < 3
    assert b"The head of the request is too long." in spoken(port, b"GET / HTTP/1.1\r\nX: " + b"y" * 200_000)


def test_a_kept_connection_is_closed_when_nothing_comes(port: int) -> None:
    begin = time.monotonic()
    answer = spoken(port, b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert b" 200 " in answer
    assert 0.8 < time.monotonic() - begin < 2.5


@pytest.mark.parametrize("length", ["-1", "x", "1, 2", "9" * 30, "+5"])
def test_lengths_that_are_none(port: int, length: str) -> None:
    answer = spoken(port, post(GOOD, f"Content-Length: {length}", length=-1))
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 413 "))


def test_two_lengths_are_refused(port: int) -> None:
    """Else a proxy in front may see another request than the server."""
    assert b" 400 " in spoken(port, post(GOOD, "Content-Length: 3"))
    assert b" 400 " in spoken(port, post(GOOD, "Transfer-Encoding: chunked"))
