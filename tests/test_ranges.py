"""A setting out of its range is one line that names the key, whatever the key is called."""

from typing import Any

import pytest

from graphkd import GraphKDError, ranges

NAN = float("nan")


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (lambda value: ranges.check_shares("a", x=value), [0, 0.5], [1, -0.1, NAN, True, "0"]),
        (lambda value: ranges.check_fractions("a", x=value), [0, 1], [1.1, -0.1, NAN, None]),
        (lambda value: ranges.check_at_most("a", 3, x=value), [0, 3], [3.1, NAN]),
        (lambda value: ranges.check_counts("a", 1, x=value), [1, 7], [0, 1.0, True, 2**31]),
        (lambda value: ranges.check_counts("a", 1, 4, x=value), [1, 4], [0, 5]),
        (lambda value: ranges.check_sizes("a", x=value), [0, 1e6], [-1, 1e7, NAN]),
        (lambda value: ranges.check_above_zero("a", x=value), [1e-9, 1e6], [0, NAN]),
        (lambda value: ranges.check_switches("a", x=value), [True, False], [0, "true"]),
        (lambda value: ranges.check_choice("a", ("b", "c"), x=value), ["b"], ["d", None, 1]),
    ],
)
def test_a_value_in_range_passes_and_another_is_one_line(check: Any, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        check(value)
    for value in bad:
        with pytest.raises(GraphKDError, match=r"^a\.x is ") as caught:
            check(value)
        assert "\n" not in str(caught.value)


def test_settings_may_have_the_names_of_bounds() -> None:
    ranges.check_above_zero("a", most=4.0, group=2.0)
    with pytest.raises(GraphKDError, match=r"^a\.least is 0: it must be a whole number, 1 or more$"):
        ranges.check_counts("a", 1, least=0)
