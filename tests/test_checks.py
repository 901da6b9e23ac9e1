import numpy as np
import pytest

from graphkd.checks import is_count, is_real, is_whole, plain


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_whole_numbers_are_real_too(value: object) -> None:
    assert is_whole(value)
    assert is_real(value)
    assert type(plain(value)) is int


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), np.float64(0.5), float("nan")])
def test_real_numbers_are_not_whole(value: object) -> None:
    assert is_real(value)
    assert not is_whole(value)
    assert type(plain(value)) is float


@pytest.mark.parametrize("value", [True, np.bool_(True), "3", None, 1j, [3]])
def test_all_else_is_no_number(value: object) -> None:
    assert not is_real(value)
    assert not is_whole(value)


def test_counts_are_whole_and_small() -> None:
    assert all(is_count(value) for value in (0, 3, np.int64(7), 2**31 - 1))
    assert not any(is_count(value) for value in (-1, 0.5, True, "1", None, 2**31, 10**400, np.nan))
