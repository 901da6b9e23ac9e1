"""What is wrong in a raw table, an argument or a stored encoding is one line."""

import copy
import datetime
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from graphkd import GraphKDError
from graphkd.columns import ColumnEncoding
from tests.columns.tables import TRAIN, mixed, records

PROSE = [f"the visitor number {at} came by train and left" for at in range(200)]
IDS = [f"u-{at:04}" for at in range(200)]

FITS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "free text": ({"note": PROSE}, {}, r"the table column 'note' holds free text \(120 different texts in 120"),
    "ids": ({"user": IDS}, {}, r"'user' looks like an id .* drop it with columns=\{'user': 'drop'\}, or take it"),
    "many categories": (
        {"city": [f"c{at % 110}" for at in range(200)]},
        {},
        "looks like an id .110 different texts",
    ),
    "numbers and texts": (
        {"age": [1, "n/a"] * 100},
        {},
        "'age' mixes number and text .1 and 'n/a'.: give one kind",
    ),
    "booleans and numbers": ({"age": [True, 2.5] * 100}, {}, "mixes boolean and number"),
    "a list": ({"age": [[1, 2]] * 200}, {}, "'age' holds a list: encode it as numbers, or drop it"),
    "a duration": ({"age": pd.to_timedelta([1] * 200, unit="D")}, {}, "'age' holds a timedelta64"),
    "a complex number": ({"age": [1j] * 200}, {}, "'age' holds a complex"),
    "infinity": ({"age": [np.inf, 1.0] * 100}, {}, "'age' holds inf: give finite numbers, or null"),
    "a huge integer": ({"age": [10**400, 1] * 100}, {}, "'age' holds 1000000.*: give finite numbers"),
    "no deviation": ({"age": [1e300, -1e300] * 100}, {}, "too large for single precision, or to be scaled"),
    "a date in 9999": (
        {"joined": ["9999-12-31", "2020-01-01"] * 100},
        {},
        "'joined' holds '9999-12-31' in a training row, not a date",
    ),
    "no day of a month": (
        {"joined": ["2023-02-30"] * 200},
        {},
        "'joined' holds '2023-02-30' in a training row, not a date",
    ),
    "texts as numbers": (
        {},
        {"columns": {"city": "number"}},
        "'city' holds '.*' in a training row, not a number",
    ),
    "numbers as dates": ({}, {"columns": {"visits": "date"}}, "'visits' holds .* in a training row, not a date"),
    "numbers as booleans": (
        {},
        {"columns": {"visits": "boolean"}},
        "'visits' holds .* in a training row, not a boolean",
    ),
    "fractions as categories": (
        {},
        {"columns": {"income": "category"}},
        "'income' holds .* in a training row, not a category",
    ),
    "an unknown column": ({}, {"columns": {"zip": "drop"}}, "columns names 'zip', but the table has age, income"),
    "an unknown kind": ({}, {"columns": {"age": "ordinal"}}, "columns: 'age' is 'ordinal': choose one of number"),
    "an unknown way": ({}, {"columns": "all"}, "columns is 'all': choose auto, none, or a kind per column"),
    "an unknown scale": ({}, {"numeric": "minmax"}, "numeric is 'minmax': choose one of standard, robust, none"),
    "text under none": (
        {},
        {"columns": "none"},
        "the table column 'city' holds '.*' in row 0, not a finite number",
    ),
    "a feature twice": ({"age_missing": np.arange(200.0)}, {}, "two columns become the feature 'age_missing'"),
    "nothing that differs": (
        dict.fromkeys(["age", "income", "visits", "city", "member", "joined"], None) | {"one": [1.5] * 200},
        {},
        "the table has no column whose training rows differ",
    ),
    "beyond single precision": ({"age": [1e60, 1.0] * 100}, {"numeric": "none"}, "too large for single precision"),
    "a mask as rows": ({}, {"train": np.ones(200, dtype=bool)}, "train must hold row positions"),
    "no training row": ({}, {"train": np.arange(0)}, "train must hold row positions of training nodes"),
    "a row beyond": ({}, {"train": np.array([0, 200])}, "train holds row 200, but the table has 200 rows"),
}


@pytest.mark.parametrize("mistake", FITS)
def test_wrong_tables_and_arguments(mistake: str) -> None:
    columns, keys, message = FITS[mistake]
    with pytest.raises(GraphKDError, match=message) as caught:
        ColumnEncoding.fit(mixed(**columns), **{"train": TRAIN, **keys})
    assert str(caught.value).isprintable()


def test_frames_without_columns_or_with_one_twice() -> None:
    with pytest.raises(GraphKDError, match="the table has no columns: add some"):
        ColumnEncoding.fit(pd.DataFrame(index=range(5)), np.arange(5))
    with pytest.raises(GraphKDError, match="the table has 2 columns 'age': rename all but one"):
        ColumnEncoding.fit(pd.concat([mixed(), mixed()[["age"]]], axis=1), TRAIN)
    with pytest.raises(GraphKDError, match="the table is a dict: give a pandas DataFrame"):
        ColumnEncoding.fit({"age": [1, 2]}, np.arange(2))


ROW = records(mixed(age=np.arange(200) % 70 + 18))[0]

ROWS: dict[str, tuple[Any, str]] = {
    "a text": ([ROW | {"age": "41"}], "column 'age' holds '41' in row 0, not a number"),
    "infinity": ([ROW, ROW | {"age": np.inf}], "column 'age' holds inf in row 1, not a finite number"),
    "a huge number": ([ROW | {"age": 1e60}], "column 'age' holds 1e.60 in row 0, not a finite number that single"),
    "a huge integer": ([ROW | {"age": 10**400}], "column 'age' holds 1000"),
    "a list": ([ROW | {"age": [41]}], r"column 'age' holds \[41\] in row 0, not a number"),
    "a mapping": ([ROW | {"city": {}}], r"column 'city' holds \{\} in row 0, not a category: give a text"),
    "a fraction": ([ROW | {"city": 0.5}], r"column 'city' holds 0\.5 in row 0, not a category"),
    "no boolean": ([ROW | {"member": "yes"}], "column 'member' holds 'yes' in row 0, not a boolean: give true"),
    "no date": (
        [ROW | {"joined": "31.01.2024"}],
        r"'joined' holds '31\.01\.2024' in row 0, not a date such as 2024",
    ),
    "a date as number": ([ROW | {"joined": 19000}], "'joined' holds 19000 in row 0, not a date"),
    "a date out of range": ([ROW | {"joined": "0001-01-01"}], "of the years 1700 to 2199"),
    "a numpy date out of range": ([ROW | {"joined": np.datetime64("30000-01-01")}], "of the years 1700 to 2199"),
    "no column": ([{name: ROW[name] for name in ROW if name != "city"}], "x has no column 'city'"),
    "no column in row 1": (
        [ROW, {name: ROW[name] for name in ROW if name != "city"}],
        "row 1 has no column 'city': give null where the value is missing",
    ),
    "another name": (
        [{("town" if name == "city" else name): ROW[name] for name in ROW}],
        "x has no column 'city' .but",
    ),
    "a row that is none": ([ROW, 7], "row 1 is a int, where others are mappings"),
    "one row as columns": (ROW, r"column 'age' is '18': give a list per column, or a list of rows"),
    "columns of two lengths": (
        {**{name: [ROW[name]] for name in ROW}, "age": [1, 2]},
        "columns of x have different",
    ),
    "a number": (7, "x is no table, but a int"),
    "texts": (["a", "b"], "x is no table, but a list"),
    "no names and another width": (np.zeros((2, 3)), "x has 3 columns, 6 expected"),
    "a column twice": (
        pd.DataFrame([[*ROW.values(), 1]], columns=[*ROW, "age"]),
        "x has more than one column 'age'",
    ),
    "masked": (
        {**{name: [ROW[name]] for name in ROW}, "age": np.ma.array([1.0], mask=[True])},
        "holds masked values",
    ),
}


@pytest.mark.parametrize("mistake", ROWS)
def test_wrong_rows(mistake: str) -> None:
    table, message = ROWS[mistake]
    encoding = ColumnEncoding.fit(mixed(age=np.arange(200) % 70 + 18), TRAIN)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        with pytest.raises(GraphKDError, match=message) as caught:
            encoding.transform(table)
    assert str(caught.value).isprintable()


def test_further_columns_are_warned_of_once() -> None:
    encoding = ColumnEncoding.fit(mixed(), TRAIN)
    with pytest.warns(UserWarning, match="x has columns that this student does not read: 'shoe'") as caught:
        encoding.transform([ROW | {"shoe": 42}])
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoding.transform(mixed(shoe=42))


def test_values_of_every_type_are_read() -> None:
    encoding = ColumnEncoding.fit(mixed(), TRAIN)
    (expected,) = encoding.transform([ROW | {"age": 41, "member": True, "joined": "2021-05-06"}])
    same: list[dict[str, Any]] = [
        {"age": np.int8(41)},
        {"age": Decimal(41), "member": 1},
        {"age": np.float32(41), "member": "TRUE"},
        {"joined": datetime.date(2021, 5, 6), "member": np.bool_(True)},
        {"joined": datetime.datetime(2021, 5, 6, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))},
        {"joined": pd.Timestamp("2021-05-06"), "member": 1.0},
        {"joined": "2021-05-06T00:00:00Z"},
        {"joined": np.datetime64("2021-05-06")},
    ]
    for changes in same:
        row = ROW | {"age": 41, "member": True, "joined": "2021-05-06"} | changes
        np.testing.assert_array_equal(encoding.transform([row])[0], expected, err_msg=str(changes))
    for absent in (None, np.nan, pd.NA, "", Decimal("nan")):
        assert encoding.transform([ROW | {"age": absent}])[0, 1] == 1.0


def stored(columns: bool = True) -> dict[str, Any]:
    """A fitted encoding in JSON: number, date, category, boolean, presence; or an untouched table's."""
    if not columns:
        return ColumnEncoding.fit(pd.DataFrame({"a": [0, 1], "b": [1, 0]}), np.arange(2)).to_json()
    names = ("age", "joined", "city", "member", "gap")
    gap = [1.0, np.nan] * 100
    return ColumnEncoding.fit(mixed(gap=gap, fee=1.0)[[*names, "fee"]], TRAIN).to_json()


def put(*path: Any, value: Any) -> Callable[[dict[str, Any]], Any]:
    def change(content: dict[str, Any]) -> Any:
        place: Any = content
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        return content

    return change


HOSTILE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no object": lambda content: [content],
    "null": lambda content: None,
    "a text": lambda content: "auto",
    "another version": put("version", value=2),
    "true for a version": put("version", value=True),
    "an unknown field": put("code", value="x"),
    "a lacking field": lambda content: {name: content[name] for name in content if name != "rows"},
    "an unknown way": put("numeric", value="pickle"),
    "a list for a way": put("numeric", value=["standard"]),
    "negative rows": put("rows", value=-1),
    "columns that are none": put("columns", value={}),
    "no columns": put("columns", value=[]),
    "a column that is none": put("columns", 0, value=3),
    "an unknown kind": put("columns", 0, "kind", value="eval"),
    "a list for a kind": put("columns", 0, "kind", value=["number"]),
    "a field of another kind": put("columns", 0, "values", value=["a"]),
    "a name twice": put("columns", 1, "name", value="age"),
    "an empty name": put("columns", 0, "name", value=""),
    "a number for a name": put("columns", 0, "name", value=3),
    "a long name": put("columns", 0, "name", value="x" * 1001),
    "a surrogate": put("columns", 0, "name", value="\ud800"),
    "a name of another feature": put("columns", 0, "name", value="gap_missing"),
    "a scale of 0": put("columns", 0, "scale", value=0.0),
    "a negative scale": put("columns", 0, "scale", value=-1.0),
    "an infinite shift": put("columns", 0, "shift", value=float("inf")),
    "a fill that is no number": put("columns", 0, "fill", value=float("nan")),
    "a text for a number": put("columns", 0, "fill", value="0.0"),
    "a whole number for a float": put("columns", 0, "fill", value=10**400),
    "a number for a boolean": put("columns", 0, "indicator", value=1),
    "a date without a year": put("columns", 1, "year", value=None),
    "categories that are none": put("columns", 2, "values", value="Bern"),
    "a number for a category": put("columns", 2, "values", value=["Bern", 3]),
    "a category twice": put("columns", 2, "values", value=["Bern", "Bern"]),
    "the slot as a category": put("columns", 2, "values", value=["Bern", "unknown"]),
    "an empty category": put("columns", 2, "values", value=[""]),
    "too many categories": put("columns", 2, "values", value=[str(at) for at in range(10_001)]),
    "a huge count": put("columns", 3, "missing", value=2**31),
    "columns and untouched ones": put("untouched", value=["a"]),
    "untouched twice": lambda content: {**content, "columns": [], "untouched": ["a", "a"]},
    "a dropped column that is none": put("dropped", value=["fee"]),
    "an unknown reason": put("dropped", value=[["fee", "whim"]]),
    "a list for a reason": put("dropped", value=[["fee", ["asked"]]]),
    "a dropped column that is read": put("dropped", value=[["age", "asked"]]),
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_hostile_json_is_one_line(attack: str) -> None:
    content = stored()
    assert ColumnEncoding.from_json(copy.deepcopy(content)).to_json() == content
    with pytest.raises(GraphKDError) as caught:
        ColumnEncoding.from_json(HOSTILE[attack](content))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300
