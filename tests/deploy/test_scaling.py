"""Which columns a file scales, and what single precision costs there."""

import numpy as np
import pytest

from graphkd.columns import ColumnEncoding
from graphkd.columns.kinds import Category, Number
from graphkd.deploy.scaling import FARTHEST, Scaling, too_far


def column(shift: float, scale: float, whole: bool = False, **more: object) -> Number:
    return Number("a", shift, shift, scale, whole=whole, **more)


@pytest.mark.parametrize(
    ("given", "is_far"),
    [
        (column(0.0, 1.0), False),
        (column(-40_000.0, 9_000.0), False),
        (column(128.0, 1.0), False),
        (column(129.0, 1.0), True),
        (column(2010.0, 8.0, whole=True), False),
        (column(2010.0, 0.1, whole=True), True),
        (column(1.7e9, 1e7, whole=True), True),
        (column(1.7e9, 1e8, whole=True), False),
        (column(0.0, 1e-31), True),
        (column(0.0, 1e31), True),
    ],
)
def test_columns_far_from_zero_are_left_to_double_precision(given: Number, is_far: bool) -> None:
    encoding = ColumnEncoding(
        (column(0.0, 1.0), Number("b", given.fill, given.shift, given.scale, whole=given.whole))
    )
    far = too_far(encoding)
    assert (far is not None) is is_far
    assert (Scaling.of(encoding) is None) is is_far
    if far is not None:
        assert far.name == "b"


@pytest.mark.parametrize(
    "encoding",
    [
        None,
        ColumnEncoding((), untouched=("a",)),
        ColumnEncoding((column(0.0, 1.0, indicator=True),)),
        ColumnEncoding((column(0.0, 1.0), Category("b", ("x", "y")))),
    ],
)
def test_an_encoding_that_is_more_or_nothing_is_no_scaling(encoding: ColumnEncoding | None) -> None:
    assert Scaling.of(encoding) is None
    assert too_far(encoding) is None


def test_numbers_within_the_bound_keep_five_digits() -> None:
    """Against the features in double precision; those of whole numbers are exact."""
    rng, shifts = np.random.default_rng(0), np.array([0.0, 3.0, FARTHEST, -FARTHEST])
    exact = rng.normal(size=(10_000, 4))
    scaling = Scaling(tuple(shifts), tuple(shifts), (1.0, 2.0, 1.0, 1.0))
    numbers = exact * scaling.arrays[2] + shifts
    assert np.abs(scaling.scaled(numbers.astype(np.float32)) - exact).max() < 2.0**-16.9
    years = rng.integers(1900, 2100, (1000, 1)).astype(np.float64)
    whole = Scaling((2000.0,), (2000.3,), (7.7,))
    np.testing.assert_array_equal(
        whole.scaled(years.astype(np.float32)), ((years - 2000.3) / 7.7).astype(np.float32)
    )
    np.testing.assert_array_equal(whole.raw(whole.scaled(years.astype(np.float32))), years)


def test_missing_numbers_are_filled_before_they_are_scaled() -> None:
    np.testing.assert_array_equal(
        Scaling((5.0,), (1.0,), (2.0,)).scaled(np.float32([[np.nan], [3]])), [[2.0], [1.0]]
    )
