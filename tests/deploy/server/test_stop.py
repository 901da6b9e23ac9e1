"""An end that resets nothing which was accepted."""

import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from graphkd.deploy.server.stop import closed_to_new, waiting
from tests.deploy.server.serving import as_command

ASK = b"GET /card HTTP/1.1\r\nHost: localhost\r\n\r\n"
CLOSE = ASK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
LINUX = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="asks Linux's kernel")


@LINUX
def test_a_door_that_is_closed_keeps_those_who_are_in() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        assert not waiting(door)
        come = [socket.create_connection(door.getsockname()) for _ in range(10)]
        closed_to_new(door)
        with pytest.raises(TimeoutError):
            socket.create_connection(door.getsockname(), timeout=0.2)
        for number, each in enumerate(come):
            assert waiting(door)
            each.sendall(b"%d" % number)
            taken, _ = door.accept()
            assert taken.recv(9) == b"%d" % number
            taken.close()
            each.close()
        assert not waiting(door)


def answered(sock: socket.socket) -> bytes:
    """A whole answer; its head says how long it is."""
    found = b""
    while b"\r\n\r\n" not in found:
        part = sock.recv(65536)
        if not part:
            raise ConnectionResetError("closed without an answer")
        found += part
    size = re.search(rb"content-length: (\d+)", found)
    assert size is not None
    while len(found.partition(b"\r\n\r\n")[2]) < int(size[1]):
        found += sock.recv(65536)
    return found


LATE: dict[str, Callable[[socket.socket], None]] = {
    "nothing yet": lambda sock: None,
    "half a head": lambda sock: sock.sendall(ASK[:9]),
    "one answer before": lambda sock: (sock.sendall(ASK), answered(sock))[0],
    "half the next head": lambda sock: (sock.sendall(ASK + ASK[:9]), answered(sock))[0],
    "half a body": lambda sock: sock.sendall(
        b"POST /none HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n1234"
    ),
}
"""What has come on a connection when the server is told to stop."""


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_what_is_on_its_way_is_answered(raw_bundle: Path, workers: int) -> None:
    with as_command(raw_bundle, "--workers", str(workers)) as (process, port):
        held = {kind: socket.create_connection(("127.0.0.1", port), timeout=5) for kind in LATE}
        for kind, sock in held.items():
            LATE[kind](sock)
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        for kind, sock in held.items():
            if kind != "half a body":
                sock.sendall(ASK[9:] if "half" in kind else ASK)
            head = answered(sock).lower()
            assert head.startswith(b"http/1.1 404 " if kind == "half a body" else b"http/1.1 200 ")
            assert workers > 1 or kind == "half a body" or b"connection: close" in head
            sock.close()
        assert process.wait(10) == 0


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("content", [ASK, CLOSE])
def test_under_load_nobody_is_reset(raw_bundle: Path, workers: int, content: bytes) -> None:
    for _ in range(3):
        with as_command(raw_bundle, "--workers", str(workers)) as (process, port):
            counts, broken = stopped_under_load(process, port, content)
            assert process.wait(20) == 0
        assert counts > 50
        assert broken == []


def stopped_under_load(process: "subprocess.Popen[str]", port: int, content: bytes) -> tuple[int, list[str]]:
    """Requests that were answered, and how others ended; a connection that is refused is no request."""
    answers, broken = [], []

    def client() -> None:
        while True:
            try:
                sock = socket.create_connection(("127.0.0.1", port), timeout=10)
            except OSError:
                return
            with sock:
                try:
                    again = True
                    while again:
                        sock.sendall(content)
                        answers.append(answered(sock))
                        again = b"connection: close" not in answers[-1].lower()
                except OSError as error:
                    broken.append(repr(error))

    threads = [threading.Thread(target=client) for _ in range(16)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join()
    return len(answers), broken
