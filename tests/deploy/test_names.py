import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from graphkd import GraphKDError
from graphkd.deploy.names import Columns
from graphkd.io.frame import names_of

ROWS = np.arange(6.0).reshape(2, 3)


def frame(*labels: object) -> pd.DataFrame:
    return pd.DataFrame(ROWS, columns=list(labels))


@pytest.mark.parametrize("make", [lambda table: table, pa.Table.from_pandas])
def test_columns_come_in_the_order_of_training(make) -> None:
    found = Columns(["c", "a", "b"]).align(make(frame("a", "b", "c")))
    np.testing.assert_array_equal(found, ROWS[:, [2, 0, 1]])


def test_what_has_no_names_counts_by_position() -> None:
    for names, rows in ((["a", "b", "c"], frame(0, 1, 2)), (None, frame("x", "y", "z"))):
        np.testing.assert_array_equal(Columns(names).align(rows), ROWS)
    assert Columns(["a", "b", "c"]).align(ROWS) is ROWS
    assert (names_of(ROWS), names_of(frame(0, 1, 2)), names_of(frame(2019, "a", "b"))) == (
        None,
        None,
        ("2019", "a", "b"),
    )


def test_numbers_can_be_names() -> None:
    np.testing.assert_array_equal(Columns(["2020", "2019", "x"]).align(frame(2019, "x", 2020)), ROWS[:, [2, 0, 1]])
    np.testing.assert_array_equal(Columns(["1", "0", "2"]).align(frame(0, 1, 2)), ROWS[:, [1, 0, 2]])
    with pytest.warns(UserWarning, match="'2'"):  # the names in training are numbers, so these are names
        np.testing.assert_array_equal(Columns(["1", "0"]).align(frame(0, 1, 2)), ROWS[:, [1, 0]])


def test_missing_and_doubled_columns_are_refused() -> None:
    for labels, message in {
        ("a", "b", "z"): r"x has no column 'c' \(but 'z', which it was not trained on\)",
        ("a", "b", "a"): "x has more than one column 'a'",
        (1, "1", "a"): "x has more than one column '1'",
    }.items():
        with pytest.raises(GraphKDError, match=message):
            Columns(["a", "b", "c"]).align(frame(*labels))


def test_extra_columns_are_warned_of_once() -> None:
    columns, rows = Columns(["c", "a"]), frame("a", "b", "c")
    with pytest.warns(UserWarning, match="does not read: 'b'"):
        columns.align(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(columns.align(rows), ROWS[:, [2, 0]])


def test_columns_of_every_kind() -> None:
    table = pd.DataFrame(
        {
            "int": pd.array([1, 2], dtype="Int64"),
            "bool": pd.array([True, False], dtype="boolean"),
            "object": pd.Series([1, 2.5], dtype=object),
            "arrow": pd.array([1.5, 2.5], dtype="double[pyarrow]"),
        }
    )
    wanted = [[1, 1, 1, 1.5], [2, 0, 2.5, 2.5]]
    np.testing.assert_array_equal(Columns(None).align(table), wanted)
    table.loc[1, "int"] = pd.NA
    assert np.isnan(Columns(None).align(table)[1, 0])
    sparse = pd.DataFrame(np.eye(3)).astype(pd.SparseDtype(float, 0.0))
    found = Columns(None).align(sparse)
    assert found.nnz == 3
    np.testing.assert_array_equal(found.toarray(), np.eye(3))


@pytest.mark.parametrize("values", [["1", "2"], pd.to_datetime(["2020-01-01"] * 2), pd.Categorical(["a", "b"])])
def test_what_is_no_number_is_named(values) -> None:
    with pytest.raises(GraphKDError, match="x column 'a' holds .* in row 0, not a finite number"):
        Columns(["a"]).align(pd.DataFrame({"a": values}))
