import asyncio
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from starlette.requests import Request

from graphkd.deploy.server.body import JSON, body_of
from graphkd.deploy.server.errors import RefusedError
from graphkd.deploy.server.load import LARGE, TURNS, Load
from graphkd.deploy.server.settings import Limits
from tests.deploy.server.serving import ask, in_thread, wait_for
from tests.deploy.server.test_body import spoken

LIMITS = Limits(rows=10, rows_waiting=15, requests=2, bytes_waiting=100)


def refused(load: Load, what: str, *args: object) -> RefusedError:
    stack = ExitStack()
    with pytest.raises(RefusedError) as error:
        stack.enter_context(getattr(load, what)(*args))
    return error.value


def test_beyond_each_limit_there_is_an_answer_of_its_own() -> None:
    load = Load(LIMITS)
    with load.request(), load.request():
        error = refused(load, "request")
        assert (error.status, error.retry) == (503, 1)
        assert error.response.headers["retry-after"] == "1"
    assert refused(load, "of_rows", 11, "rows").status == 413
    with load.of_rows(10, "rows"):
        error = refused(load, "of_rows", 6, "rows")
        assert (error.status, error.retry) == (429, 1)
        with load.of_rows(5, "rows"):
            pass
    load.take(100)
    with pytest.raises(RefusedError) as found:
        load.take(1)
    assert found.value.status == 503
    load.give(100)
    assert (load.requests, load.rows, load.bytes) == (0, 0, 0)


def test_what_fails_is_counted_off() -> None:
    load = Load(LIMITS)
    with pytest.raises(KeyError), load.request(), load.of_rows(3, "rows"):
        raise KeyError
    assert (load.requests, load.rows) == (0, 0)


ROW = {"rows": [[0.5, 1, 0, 0, 2]]}
BODY = json.dumps(ROW).encode()

ENDS: dict[str, tuple[bytes, bytes]] = {
    "answered": (b"POST /predict HTTP/1.1\r\nContent-Length: %d\r\n" % len(BODY), BODY),
    "no JSON": (b"POST /predict HTTP/1.1\r\nContent-Length: 30\r\n", b" " * 30),
    "another field": (b"POST /predict HTTP/1.1\r\nContent-Length: 30\r\n", b'{"row": []}'.ljust(30)),
    "too many rows": (
        b"POST /predict HTTP/1.1\r\nContent-Length: 54\r\n",
        b'{"rows": [[],[],[],[],[],[]]}'.ljust(54),
    ),
    "too many bytes": (
        b"POST /predict HTTP/1.1\r\nTransfer-Encoding: chunked\r\n",
        b"60\r\n%s\r\n0\r\n\r\n" % (b" " * 96),
    ),
    "too many bytes in two": (
        b"POST /predict HTTP/1.1\r\nTransfer-Encoding: chunked\r\n",
        b"30\r\n%s\r\n30\r\n%s\r\n0\r\n\r\n" % (b" " * 48, b" " * 48),
    ),
    "not in time": (b"POST /predict HTTP/1.1\r\nContent-Length: 50\r\n", b" " * 40),
    "half, then gone": (b"POST /predict HTTP/1.1\r\nContent-Length: 50\r\n", b" " * 41),
    "a chunk that is none": (
        b"POST /predict HTTP/1.1\r\nTransfer-Encoding: chunked\r\n",
        b"20\r\n%s\r\nx\r\n" % (b" " * 32),
    ),
    "infer": (b"POST /v2/models/student/infer HTTP/1.1\r\nContent-Length: 40\r\n", b'{"inputs": []}'.ljust(40)),
    "another method": (b"PUT /predict HTTP/1.1\r\nContent-Length: 40\r\n", b" " * 40),
}
"""Ways in which a request with a body can end."""


@pytest.mark.parametrize("kind", ENDS)
def test_bytes_in_flight_are_given_back(raw_bundle: Path, kind: str) -> None:
    """Else a server ends with 503 for everybody, some thousands of requests after its start."""
    head, body = ENDS[kind]
    request = head + b"Host: localhost\r\nConnection: close\r\n\r\n" + body
    limits = Limits(body=64, rows=5, bytes_waiting=100, body_seconds=0.1)
    with in_thread(raw_bundle, limits=limits) as port:
        for _ in range(4):
            if kind == "half, then gone":
                with socket.create_connection(("127.0.0.1", port)) as sock:
                    sock.sendall(request)
            else:
                assert b" 503 " not in spoken(port, request)
        wait_for(lambda: ask(port, "/predict", ROW).status == 200, seconds=2)
        assert [ask(port, "/predict", ROW).status for _ in range(4)] == [200] * 4


@pytest.mark.parametrize("parts", [[101], [50, 51], [100, 1], [1] * 101, [30, 30, 30, 30], [0, 101], [99, 2, 5]])
def test_a_body_beyond_the_bytes_in_flight_gives_back_what_it_took(parts: list[int]) -> None:
    """And no more: else the limit would grow with every refusal."""
    load, left = Load(Limits(body=1000, bytes_waiting=100)), list(parts)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b" " * left.pop(0), "more_body": bool(left)}

    async def read() -> None:
        async with body_of(Request({"type": "http", "headers": []}, receive), load, JSON):
            pass

    with pytest.raises(RefusedError) as error:
        asyncio.run(read())
    assert (error.value.status, load.bytes) == (503, 0)


@pytest.mark.parametrize(("size", "most"), [(LARGE - 1, 10), (LARGE, TURNS), (3 * LARGE, TURNS)])
def test_large_bodies_take_turns(size: int, most: int) -> None:
    """A million numbers take many times their bytes."""
    load, inside, seen = Load(Limits()), 0, []

    async def one() -> None:
        nonlocal inside

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": b" " * size, "more_body": False}

        async with body_of(Request({"type": "http", "headers": []}, receive), load, JSON) as body:
            inside += 1
            seen.append((inside, len(body)))
            await asyncio.sleep(0.01)
            inside -= 1

    async def all_of_them() -> None:
        await asyncio.gather(*(one() for _ in range(10)))

    asyncio.run(all_of_them())
    assert max(seen) == (most, size)
    assert (len(seen), load.bytes, load.requests) == (10, 0, 0)


@pytest.mark.slow
def test_over_http(raw_bundle: Path) -> None:
    """While a request waits for others to be computed with, those beyond the limits are told to come again."""
    body = {"rows": [[0.5, 1, 0, 0, 2]] * 2}
    for limits, status, text in (
        (Limits(requests=1), 503, "1 requests are waiting: try again"),
        (Limits(rows=4, rows_waiting=3), 429, "2 rows are waiting, with these more than 3"),
    ):
        with in_thread(raw_bundle, limits=limits, window=1.0) as port, ThreadPoolExecutor(1) as pool:
            first = pool.submit(ask, port, "/predict", body)
            wait_for(lambda port=port: "graphkd_requests_in_progress 2.0" in ask(port, "/metrics").body.decode())
            second = ask(port, "/predict", body)
            assert second.status == status, second.body
            assert text in second.json["error"]
            assert second.headers["retry-after"] == "1"
            assert first.result().status == 200
