"""A line of JSON per request, without anything of its body or its headers."""

import json

import pytest

from graphkd.deploy.server.access_log import write_access


def test_a_request_is_a_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    headers = [(b"authorization", b"Bearer s3cret")]
    scope = {"client": ("10.0.0.1", 5), "method": "POST", "path": "/predict\n", "headers": headers}
    write_access(scope, 422, 0.0123456)
    (line,) = capsys.readouterr().out.splitlines()
    record = json.loads(line)
    assert record.pop("time").endswith("Z")
    assert record == {"client": "10.0.0.1", "method": "POST", "path": "/predict\n", "status": 422, "ms": 12.346}
