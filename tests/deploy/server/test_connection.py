"""Bytes that are no content, and clients that wait in every state that a connection has."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from graphkd.deploy.server.settings import Limits, Token
from tests.deploy.server.serving import ask, in_thread
from tests.deploy.server.test_body import GOOD, spoken

TOKEN = "s3cret"
LIMITS = Limits(
    body=65536, head_seconds=0.6, body_seconds=0.3, idle_seconds=0.6, drain_seconds=0.6, answer_seconds=0.6,
    connections=20, unsent=2**22,
)  # fmt: skip
MOST = 4 * LIMITS.body + 2**22 + 2**20
"""Bytes of one connection: what is drained, and what the kernel holds of it on both sides."""


def head(path: str, *lines: str, method: str = "POST", token: bool = False) -> bytes:
    given = [f"Authorization: Bearer {TOKEN}"] if token else []
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *given, *lines, "", ""]).encode()


JSON, CHUNKED, HUGE = "Content-Type: application/json", "Transfer-Encoding: chunked", "Content-Length: 99999999999"
OUT, IN = head("/predict", JSON, CHUNKED), head("/predict", JSON, CHUNKED, token=True)
READY = head("/v2/health/ready", method="GET")
BLOCK = b" " * 65536


@pytest.fixture(scope="module")
def port(raw_bundle: Path) -> Iterator[int]:
    with in_thread(raw_bundle, limits=LIMITS, token=Token.of(TOKEN)) as port:
        yield port


def taken(port: int, begin: bytes, more: bytes, seconds: float = 5.0) -> tuple[int, float]:
    """Bytes that a connection takes until it ends, and when that is."""
    since, count = time.monotonic(), 0
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as sock:
        try:
            sock.sendall(begin)
            while count < 2 * MOST:
                count += sock.send(more)
        except OSError:
            pass
    return count, time.monotonic() - since


ENDLESS: dict[str, tuple[bytes, bytes]] = {
    "trailers after 401": (OUT + b"0\r\n", b"x: y\r\n" * 9000),
    "trailers": (IN + b"1\r\n \r\n0\r\n", b"x: y\r\n" * 9000),
    "one trailer after 401": (OUT + b"0\r\nx: ", BLOCK),
    "one trailer": (IN + b"1\r\n \r\n0\r\nx: ", BLOCK),
    "a trailer's name": (IN + b"0\r\n", b"y" * 65536),
    "an extension after 401": (OUT + b"1;", b"x" * 65536),
    "an extension": (IN + b"1;", b"x" * 65536),
    "extensions of many chunks": (IN, b"1;" + b"x" * 60000 + b"\r\n \r\n"),
    "chunks after 401": (OUT, b"10000\r\n" + BLOCK + b"\r\n"),
    "a body after 401": (head("/predict", JSON, HUGE), BLOCK),
    "a body after 404": (head("/none", HUGE, token=True), BLOCK),
    "a body after 405": (head("/card", HUGE, token=True), BLOCK),
    "a body after 413": (head("/predict", JSON, HUGE, token=True), BLOCK),
    "a body after 415": (head("/predict", "Content-Type: x/y", HUGE, token=True), BLOCK),
    "a body of a page": (head("/", HUGE, method="GET"), BLOCK),
    "a body in HTTP/1.0": (head("/", HUGE, method="GET").replace(b"1.1", b"1.0"), BLOCK),
    "a body of a connection to be closed": (head("/", HUGE, "Connection: close", method="GET"), BLOCK),
    "a head": (b"GET / HTTP/1.1\r\nx: ", b"y" * 65536),
    "headers": (b"GET / HTTP/1.1\r\n", b"x: y\r\n" * 9000),
    "noise after a request": (READY, b"\xff" * 65536),
    "requests": (b"", READY * 1500),
    "empty lines": (b"", b"\r\n" * 32768),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_no_bytes_are_without_a_bound(port: int, kind: str) -> None:
    count, _ = taken(port, *ENDLESS[kind])
    assert count < MOST
    assert ask(port, "/predict", json.loads(GOOD), headers={"Authorization": f"Bearer {TOKEN}"}).status == 200


DRIPS: dict[str, tuple[bytes, bytes]] = {
    "nothing": (b"", b""),
    "a head": (b"GET / HTTP/1.1\r\nx: ", b"y"),
    "empty lines": (b"", b"\r\n"),
    "empty lines after a request": (READY, b"\r\n"),
    "a second head": (READY + b"GET / HTTP/1.1\r\nx: ", b"y"),
    "a body after 401": (head("/predict", JSON, HUGE), b" "),
    "chunks after 401": (OUT, b"1\r\n \r\n"),
    "an extension after 401": (OUT + b"1;", b"x"),
    "trailers after 401": (OUT + b"0\r\nx: ", b"y"),
    "a body after 404": (head("/none", HUGE, token=True), b" "),
    "a body after 413": (head("/predict", JSON, HUGE, token=True), b" "),
    "a body": (IN, b"1\r\n \r\n"),
    "trailers": (IN + b"1\r\n \r\n0\r\nx: ", b"y"),
    "a body to be closed": (head("/none", HUGE, "Connection: close", token=True), b" "),
    "after noise": (b"\xff\xff", b"\xff"),
}


def dripped(port: int, begin: bytes, drop: bytes) -> float:
    """Seconds until the other side says that there is an end."""
    since = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=0.1) as sock:
        sock.sendall(begin)
        while time.monotonic() - since < 5:
            try:
                if drop:
                    sock.sendall(drop)
                while sock.recv(65536):
                    pass
                time.sleep(0.1)  # its answer is whole, and more is sent all the same
                sock.sendall(b"x")
                sock.sendall(b"x")
            except TimeoutError:
                continue
            except OSError:
                break
    return time.monotonic() - since


@pytest.mark.parametrize("kind", DRIPS)
def test_no_byte_renews_the_time_of_a_state(port: int, kind: str) -> None:
    assert dripped(port, *DRIPS[kind]) < 3


@pytest.mark.parametrize(
    "kind",
    ["a body after 401", "trailers after 401", "a body", pytest.param("after noise", marks=pytest.mark.slow)],
)
def test_a_short_time_follows_a_long_one(raw_bundle: Path, kind: str) -> None:
    limits = Limits(head_seconds=60, idle_seconds=60, drain_seconds=0.2, body_seconds=0.1)
    with in_thread(raw_bundle, limits=limits, token=Token.of(TOKEN)) as port:
        assert dripped(port, *DRIPS[kind]) < 3


MANY = json.dumps({"rows": [[0, 0, 0, 0, 0]] * 2000}).encode()
LARGE = (head("/predict", JSON, f"Content-Length: {len(MANY)}", token=True) + MANY) * 40
"""Answers of more bytes than the kernel holds."""

PATIENCE = 8
"""Seconds in which a busy machine has answered as many requests."""


def left(port: int, requests: bytes, seconds: float) -> int:
    """Bytes that still come to somebody who has asked, and then waited."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", port))
        sock.settimeout(2)
        got = 0
        try:
            sock.sendall(requests)
            time.sleep(seconds)
            while part := sock.recv(65536):
                got += len(part)
        except OSError:
            pass
        return got


@pytest.mark.slow
def test_an_answer_that_is_not_taken_ends(port: int) -> None:
    """Else it is held for as long as the other side likes."""
    token = {"Authorization": f"Bearer {TOKEN}"}
    whole = 40 * len(ask(port, "/predict", json.loads(MANY), headers=token).body)
    assert whole > 6_000_000
    assert left(port, LARGE, PATIENCE) < whole - 1_000_000


@pytest.mark.slow
def test_answers_that_are_not_taken_have_a_bound(raw_bundle: Path, capfd: pytest.CaptureFixture[str]) -> None:
    limits = Limits(unsent=10_000, answer_seconds=30)
    with in_thread(raw_bundle, limits=limits, token=Token.of(TOKEN)) as port:
        assert left(port, LARGE, PATIENCE) < 5_500_000
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_the_connection_that_waits_longest_makes_place(port: int) -> None:
    """As many as there may be, and many more, in every state: nobody else is refused."""
    kinds = [begin for begin, _ in DRIPS.values()]
    held = []
    try:
        for number in range(150):
            held.append(socket.create_connection(("127.0.0.1", port)))
            held[-1].sendall(kinds[number % len(kinds)])
            if number % 10 == 9:
                assert ask(port, "/v2/health/ready").status == 200
        time.sleep(0.55)
        assert ask(port, "/v2/health/ready").status == 200
        assert sum(map(closed, held)) > len(held) - LIMITS.connections
    finally:
        for sock in held:
            sock.close()


def closed(sock: socket.socket) -> bool:
    sock.settimeout(0.01)
    try:
        while sock.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def test_a_connection_whose_request_is_not_read_yet_is_spared(port: int) -> None:
    """Of as many as come in one moment, all are answered."""
    held = [socket.create_connection(("127.0.0.1", port)) for _ in range(LIMITS.connections + 40)]
    for sock in held:
        sock.sendall(READY)
    assert all(b" 200 " in sock.recv(65536) for sock in held)
    for sock in held:
        sock.close()


def test_a_refused_body_is_drained_so_that_the_answer_arrives(port: int) -> None:
    """And the connection is kept where the rest is small."""
    body = b" " * 75_000
    request = head("/predict", JSON, f"Content-Length: {2 * len(body)}")
    answer = spoken(port, request + body, body + READY, pause=0.1)
    assert (answer.count(b" 401 "), answer.count(b" 200 ")) == (1, 1)
    closed = head("/predict", JSON, f"Content-Length: {3 * len(body)}", "Connection: close")
    assert b" 401 " in spoken(port, closed + body, body, body, pause=0.1)
    assert b"content between its chunks" in spoken(port, IN + b"1;", *[b"x" * 60_000] * 4, pause=0.05)


def test_a_head_has_so_many_lines(port: int) -> None:
    lines = [f"x{number}: y" for number in range(300)]
    assert b" 200 " in spoken(port, head("/", *lines[:200], method="GET"))
    assert b" 400 " in spoken(port, head("/", *lines, method="GET"))
    assert b" 400 " in spoken(port, head("/", *lines, method="GET")[:-2])


def test_a_trailer_is_no_header(port: int) -> None:
    whole = b"%x\r\n%s\r\n0\r\n" % (len(GOOD), GOOD)
    for line in ("Content-Encoding: gzip", "Content-Type: x/y", "Host: evil.example", "Authorization: x"):
        request = IN + whole + f"{line}\r\n\r\n".encode()
        assert b" 200 " in spoken(port, request.replace(b"Host", b"Connection: close\r\nHost", 1))
    assert b" 401 " in spoken(port, OUT + whole + f"Authorization: Bearer {TOKEN}\r\n\r\n".encode())


@pytest.mark.slow
def test_tiny_chunks_and_small_trailers_are_right(port: int) -> None:
    chunks = b"".join(b"1;a=b\r\n%c\r\n" % byte for byte in GOOD)
    spaces = b"1\r\n \r\n" * 20_000
    for body in (chunks, chunks[:30] + chunks[30:], spaces + chunks):
        answer = spoken(port, IN + body + b"0\r\nChecksum: x\r\n\r\n" + READY)
        assert answer.count(b" 200 ") == 2


def test_requests_at_once_are_answered_in_their_order(port: int) -> None:
    whole = head("/predict", JSON, f"Content-Length: {len(GOOD)}", token=True) + GOOD
    answer = spoken(port, (READY + whole) * 50)
    assert answer.count(b" 200 ") == 100
    assert answer.count(b'{"ready":true}') == answer.count(b'"predictions"') == 50
