import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphkd.reports.html.axes import Axis, shown

VALUES = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=5)


@given(values=VALUES, is_log=st.booleans())
def test_every_value_lies_within_the_axis_in_order(values: list[float], is_log: bool) -> None:
    axis = Axis.over(values, 10.0, 110.0, is_log)
    places = [axis.at(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(10 <= place <= 110 for place in places)


@given(values=VALUES, is_log=st.booleans())
def test_ticks_are_few_and_within_the_axis(values: list[float], is_log: bool) -> None:
    axis = Axis.over(values, 10.0, 110.0, is_log)
    assert 1 <= len(axis.ticks) <= 8
    assert all(axis.low * (1 - 1e-9) <= tick <= axis.high * (1 + 1e-9) for tick in axis.ticks)


def test_equal_ratios_have_equal_lengths_on_a_logarithmic_axis() -> None:
    axis = Axis(1.0, 100.0, 0.0, 10.0, is_log=True)
    assert [axis.at(value) for value in (1.0, 10.0, 100.0)] == pytest.approx([0.0, 5.0, 10.0])
    assert axis.ticks == [1, 2, 5, 10, 20, 50, 100]


def test_ticks_are_round_numbers() -> None:
    assert Axis(0.0, 100.0, 0.0, 1.0).ticks == [0, 20, 40, 60, 80, 100]
    assert [shown(tick) for tick in Axis(0.113, 0.307, 0.0, 1.0).ticks] == ["0.15", "0.2", "0.25", "0.3"]
    assert [shown(tick) for tick in Axis(1e-5, 1.0, 0.0, 1.0, True).ticks] == [
        "1e-5", "1e-4", "0.001", "0.01", "0.1", "1",
    ]  # fmt: skip
