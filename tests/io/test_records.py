from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from graphkd.deploy.names import Columns
from graphkd.errors import RowError

COLUMNS = Columns(["a", "b"])


def test_mappings_come_in_the_order_of_training() -> None:
    rows = [{"b": 1, "a": 2.5}, {"a": np.float32(0.5), "b": True}, {"b": Decimal("0.25"), "a": np.int8(-1)}]
    assert COLUMNS.align(rows).tolist() == [[2.5, 1], [0.5, 1], [-1, 0.25]]
    with pytest.warns(UserWarning, match="does not read: 'c'"):
        assert Columns(["a"]).align([{"c": "x", "a": 1}]).tolist() == [[1]]


@pytest.mark.parametrize(
    ("row", "column", "message"),
    [
        ({"a": 1}, "b", "row 1 has no 'b'"),
        ({"a": 1, "b": "2"}, "b", "column 'b' holds '2' in row 1, not a finite number"),
        ({"a": None, "b": 2}, "a", "column 'a' holds nothing in row 1"),
        ({"a": 1j, "b": 2}, "a", "column 'a' holds 1j in row 1"),
        ({"a": np.datetime64("2024"), "b": 2}, "a", "column 'a' holds 2024 in row 1"),
        ({"a": float("nan"), "b": 2}, "a", "column 'a' holds nan in row 1"),
        ({"a": 10**400, "b": 2}, "a", "column 'a' holds a huge number in row 1"),
        ({"a": -4e38, "b": 2}, "a", "column 'a' holds -4e"),
        ([1, 2], None, "row 1 is a list, where others are mappings"),
    ],
)
def test_the_error_names_row_and_column(row: Any, column: str | None, message: str) -> None:
    with pytest.raises(RowError, match=message) as caught:
        COLUMNS.align([{"a": 1, "b": 2}, row])
    assert (caught.value.row, caught.value.column) == (1, column)


def test_without_names_columns_come_in_the_order_of_the_first_row() -> None:
    assert Columns(None).align([{"b": 1, "a": 2}, {"a": 3, "b": 4}]).tolist() == [[1, 2], [4, 3]]
    with pytest.raises(RowError, match="row 1 has no 'b'"):
        Columns(None).align([{"b": 1, "a": 2}, {"a": 3}])
