from contextlib import ExitStack

import pytest

from graphkd.deploy.server.load import Load
from graphkd.deploy.server.refusal import RefusedError
from graphkd.deploy.server.settings import Limits

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
