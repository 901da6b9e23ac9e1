from collections.abc import Iterator
from pathlib import Path

import pytest

from graphkd.deploy.server.settings import Token
from tests.deploy.server.conftest import Target
from tests.deploy.server.serving import ask, in_thread

BODY = {"rows": [[0.5, 1, 0, 0, 2]]}


@pytest.fixture(scope="module")
def locked(raw_bundle: Path) -> Iterator[int]:
    with in_thread(raw_bundle, token=Token.of("s3cret")) as port:
        yield port


@pytest.mark.parametrize(
    "given",
    [None, "", "s3cret", "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3cret!", "Basic s3cret", "Bearer é"],
)
def test_without_the_token_nothing_of_the_model_is_said(locked: int, given: str | None) -> None:
    headers = {} if given is None else {"Authorization": given}
    for path, body in (("/predict", BODY), ("/v2/models/student/infer", {}), ("/card", None), ("/none", None)):
        answer = ask(locked, path, body, headers=headers)
        assert answer.status == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json == {"error": "send the header Authorization: Bearer TOKEN"}
    for path in ("/metrics", "/openapi.json", "/v2/models/student", "/v2"):
        assert ask(locked, path, headers=headers).status == 401


@pytest.mark.parametrize("given", ["Bearer s3cret", "bearer  s3cret "])
def test_with_it_all_is_as_usual(locked: int, given: str) -> None:
    assert ask(locked, "/predict", BODY, headers={"Authorization": given}).status == 200


def test_probes_and_the_page_need_none(locked: int) -> None:
    for path in (
        "/healthz",
        "/v2/health/live",
        "/v2/health/ready",
        "/",
        "/page.js",
        "/page.css",
        "/docs",
        "/docs.js",
    ):
        assert ask(locked, path).status == 200


def test_a_token_keeps_its_digest_alone() -> None:
    token = Token.of("s3cret")
    assert "s3cret" not in repr(token)
    assert token.fits(b"s3cret")
    assert not token.fits(b"")


def test_head_has_the_headers_of_get_and_no_body(raw: Target) -> None:
    for path in ("/", "/v2/health/live", "/card"):
        head, get = ask(raw.port, path, method="HEAD"), ask(raw.port, path)
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == str(len(get.body))


def test_other_methods_and_paths(raw: Target) -> None:
    for method in ("OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"):
        assert ask(raw.port, "/predict", method=method).status == 405
    answer = ask(raw.port, "/predict", method="GET")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert ask(raw.port, "/nothing").json == {"error": "Not Found: see /docs"}
    assert ask(raw.port, "/page.html/../../etc/passwd").status == 404


def test_the_page_may_load_its_own_files_alone(raw: Target) -> None:
    answer = ask(raw.port, "/")
    assert "default-src 'none'; script-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in answer.headers
    assert "server" not in answer.headers
