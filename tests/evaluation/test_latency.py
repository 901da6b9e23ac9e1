import pytest

from graphkd.evaluation import Times, latency
from graphkd.evaluation.latency import TURNS


def test_percentiles_are_those_of_single_calls_in_microseconds() -> None:
    times = Times.of([1000 * n for n in range(101)])
    assert (times.p50, times.p95, times.p99, times.calls) == pytest.approx((50, 95, 99, 101))


def test_contenders_take_turns_and_calls_that_warm_up_do_not_count() -> None:
    calls: list[tuple[str, int]] = []
    found = latency({name: lambda i, name=name: calls.append((name, i)) for name in ("a", "b")}, 0.0)
    assert {name: times.calls for name, times in found.items()} == {"a": TURNS, "b": TURNS}
    turns = [(name, turn) for turn in range(TURNS) for name in ("a", "b") for _ in range(2)]
    assert calls == turns


def test_a_call_is_told_how_many_there_were_before() -> None:
    told: list[int] = []
    (times,) = latency({("a", 1): told.append}, 0.02, turns=2).values()
    assert times.calls > 2
    assert set(range(times.calls)) <= set(told)
    assert max(told) >= times.calls - 1
    assert 0 < times.p50 <= times.p95 <= times.p99
