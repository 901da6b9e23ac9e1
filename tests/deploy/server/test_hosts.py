"""Under which names a server answers, so that no page of somebody else brings a browser here."""

import socket
from pathlib import Path

import pytest

from graphkd.deploy.server.hosts import Hosts
from tests.deploy.server.conftest import Target
from tests.deploy.server.serving import ask, in_thread
from tests.deploy.server.test_body import spoken

OWN = Hosts.of("127.0.0.1", "127.0.0.1", [])
NET = Hosts.of("graph.example", "10.0.0.5", ["Other.Example.", "10.0.0.6"])
ALL = Hosts.of("0.0.0.0", "0.0.0.0", [])
SIX = Hosts.of("::1", "::1", [])

ANSWERED: list[tuple[Hosts, str]] = [
    (OWN, "localhost"), (OWN, "LocalHost:8000"), (OWN, "localhost."), (OWN, "127.0.0.1:1"), (OWN, "[::1]"),
    (OWN, "[::1]:65535"), (OWN, "[0:0:0:0:0:0:0:1]:8000"), (NET, "graph.example"), (NET, "GRAPH.example:80"),
    (NET, "10.0.0.5"), (NET, "other.example"), (NET, "10.0.0.6:8000"), (ALL, "10.1.2.3"), (ALL, "[2001:db8::1]:8"),
    (ALL, "localhost:8000"), (ALL, socket.gethostname()), (SIX, "[::1]:8000"), (SIX, "localhost"),
    (Hosts.of("::", "::", []), "192.168.0.7"), (Hosts.of("127.0.0.1", "127.0.0.1", ["*"]), "any.thing at all"),
]  # fmt: skip

REFUSED: list[tuple[Hosts, str]] = [
    (OWN, "evil.example"), (OWN, "evil.example:8000"), (OWN, "localhost.evil.example"), (OWN, "xlocalhost"),
    (OWN, "127.0.0.1.evil.example"), (OWN, "10.0.0.1"), (OWN, "[2001:db8::1]"), (OWN, ""), (OWN, ":8000"),
    (OWN, "localhost:x"), (OWN, "localhost:8000:1"), (OWN, "[::1"), (OWN, "::1]"), (OWN, "evil@localhost"),
    (OWN, "localhost@evil"), (OWN, "localhost/"), (OWN, "localhost,evil.example"), (OWN, "localhost evil"),
    (OWN, "lócalhost"), (OWN, "localhost\x00"), (OWN, "localhost.."), (OWN, "*"), (NET, "localhost"),
    (NET, "127.0.0.1"), (NET, "10.0.0.7"), (NET, "x.graph.example"), (ALL, "evil.example"), (ALL, "10.1.2.3.evil"),
    (ALL, "0x7f000001.evil"), (ALL, "[evil]"), (OWN, "x" * 300),
]  # fmt: skip


@pytest.mark.parametrize(("hosts", "given"), ANSWERED)
def test_names_of_the_server(hosts: Hosts, given: str) -> None:
    assert hosts.fits(given.encode("latin-1"))


@pytest.mark.parametrize(("hosts", "given"), REFUSED)
def test_other_names(hosts: Hosts, given: str) -> None:
    assert not hosts.fits(given.encode("latin-1"))


def test_over_http(raw: Target) -> None:
    for path in ("/", "/card", "/predict", "/v2/health/live", "/none"):
        answer = ask(raw.port, path, headers={"Host": "evil.example"})
        assert (answer.status, answer.json["field"]) == (421, "Host")
        assert "start it with --allowed-host NAME" in answer.json["error"]
    assert ask(raw.port, "/card", headers={"Host": f"LOCALHOST:{raw.port}"}).status == 200


def test_a_request_has_one_host(raw: Target) -> None:
    """None is right in HTTP/1.0, which probes of some load balancers speak, and no browser."""
    for lines, status in (("", 400), ("Host: localhost\r\nHost: localhost\r\n", 400), ("Host:\r\n", 421)):
        request = f"GET /card HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode()
        assert spoken(raw.port, request).startswith(b"HTTP/1.1 %d " % status)
    assert spoken(raw.port, b"GET /card HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def test_a_name_that_was_allowed(raw_bundle: Path) -> None:
    with in_thread(raw_bundle, hosts=Hosts.of("127.0.0.1", "127.0.0.1", ["graph.example"])) as port:
        assert ask(port, "/card", headers={"Host": "graph.example"}).status == 200
        assert ask(port, "/card", headers={"Host": "evil.example"}).status == 421
