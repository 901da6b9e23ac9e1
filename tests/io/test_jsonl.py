"""Objects by line: what is a row, and what is put aside with its reason."""

from pathlib import Path

import numpy as np
import pytest

from graphkd import GraphKDError
from graphkd.io.jsonl import JsonTable


def table(folder: Path, text: str | bytes) -> JsonTable:
    content = text.encode() if isinstance(text, str) else text
    (folder / "a.jsonl").write_bytes(content)
    return JsonTable(folder / "a.jsonl")


def test_values_are_found_by_name_in_any_order(tmp_path: Path) -> None:
    lines = [
        '{"id": "ä", "a": 1, "b": 2.5}\n',
        ' {"b":true,"a":-1e3,"id":"\\u00e4,x"} \r\n',
        '{"id":"","b":0,"a":false}\n',
    ]
    found = table(tmp_path, "\ufeff" + "".join(lines)).cells(lines, ["b", "a"], "id")
    assert not found.faults
    assert found.numbers.tolist() == [[2.5, 1], [1, -1000], [0, 0]]
    assert found.numbers.dtype == np.float32
    assert found.ids == ["ä", "ä,x", ""]


def test_whole_numbers_stay_ids_of_their_type(tmp_path: Path) -> None:
    lines = [
        '{"id": 7, "a": 1}\n',
        '{"id": 9007199254740993, "a": 1}\n',
        '{"id": "7", "a": 1}\n',
        '{"id": -1, "a": 1}',
    ]
    found = table(tmp_path, "".join(lines)).cells(lines, ["a"], "id")
    assert found.ids.tolist() == [7, 2**53 + 1, 0, -1]
    assert found.faults == {2: "has '7' as its id, and not a whole number below 2^63"}


FIRST = '{"id": "x", "a": 1, "b": 2}'
FAULTS = {
    "no JSON": ("a,b", "is no JSON object (expecting value at character 1)"),
    "an empty line": ("", "is no JSON object (expecting value"),
    "a list": ("[1, 2]", "is no JSON object, but a list"),
    "a number": ("3", "is no JSON object, but 3"),
    "nothing": ("null", "is no JSON object, but nothing"),
    "two objects": (FIRST + FIRST, "is no JSON object (extra data at character"),
    "half an object": (FIRST[:-4], "is no JSON object ("),
    "single quotes": ("{'a': 1}", "is no JSON object (expecting property name"),
    "a comma at the end": ('{"a": 1,}', "is no JSON object ("),
    "a name twice": ('{"id": "x", "a": 1, "a": 2, "b": 2}', "has the name 'a' twice"),
    "a missing name": ('{"id": "x", "a": 1}', "has no 'b'"),
    "an unknown name": (FIRST[:-1] + ', "c": 1}', "has a name 'c', which line 1 does not have"),
    "another case": ('{"id": "x", "A": 1, "b": 2}', "has a name 'A'"),
    "half a character as a name": (FIRST[:-1] + ', "\\ud800": 1}', "has a name '\\ud800'"),
    "a line break as a name": (FIRST[:-1] + ', "c\\nd": 1}', "has a name 'c\\nd'"),
    "null": ('{"id": "x", "a": null, "b": 2}', "column 'a' holds nothing"),
    "a text": ('{"id": "x", "a": "1", "b": 2}', "column 'a' holds '1'"),
    "a long text": ('{"id": "x", "a": "%s", "b": 2}' % ("1" * 10**5), f"column 'a' holds '{'1' * 40}'"),
    "a list as a value": ('{"id": "x", "a": [1], "b": 2}', "column 'a' holds a list"),
    "an object as a value": ('{"id": "x", "a": {"b": 1}, "b": 2}', "column 'a' holds an object"),
    "NaN": ('{"id": "x", "a": NaN, "b": 2}', "holds NaN, which is no JSON number"),
    "-Infinity": ('{"id": "x", "a": 1, "b": -Infinity}', "holds -Infinity, which is no JSON number"),
    "a huge whole number": ('{"id": "x", "a": 1%s, "b": 2}' % ("0" * 400), "column 'a' holds a number too large"),
    "thousands of digits": ('{"id": "x", "a": 1%s, "b": 2}' % ("0" * 5000), "holds a number of too many digits"),
    "very deep": ("[" * 10**5, "is no JSON object of single values, but nests deeply"),
    "very deep objects": ('{"a":' * 10**5, "is no JSON object of single values, but nests deeply"),
    "no id": ('{"a": 1, "b": 2}', "has nothing as its id, and not a text"),
    "an id of another type": ('{"id": 1, "a": 1, "b": 2}', "has 1 as its id, and not a text"),
    "half a character as an id": ('{"id": "\\udc00", "a": 1, "b": 2}', "has half a character in its id"),
    "a hexadecimal number": ('{"id": "x", "a": 0x10, "b": 2}', "is no JSON object ("),
    "a full-width digit": ('{"id": "x", "a": １, "b": 2}', "is no JSON object ("),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_line_that_is_no_row_has_its_reason_and_the_others_are_read(case: str, tmp_path: Path) -> None:
    line, reason = FAULTS[case]
    lines = [f"{FIRST}\n", f"{line}\n", f"{FIRST}\n"]
    found = table(tmp_path, "".join(lines)).cells(lines, ["a", "b"], "id")
    assert found.faults.keys() == {1}
    assert found.faults[1].startswith(reason)
    assert len(found.faults[1]) < 150
    assert found.faults[1].isprintable()
    assert found.numbers[[0, 2]].tolist() == [[1, 2], [1, 2]]
    assert found.ids[2] == "x"


def test_too_large_for_single_precision_is_infinite_as_in_every_file(tmp_path: Path) -> None:
    lines = ['{"a": 1e999}\n', '{"a": -1e39}\n', '{"a": 1e-60}\n']
    found = table(tmp_path, "".join(lines)).cells(lines, ["a"])
    assert found.numbers.ravel().tolist() == [np.inf, -np.inf, 0]
    assert (found.ids, found.faults) == (None, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "is empty: give an object per line"),
        (b"\n \n", "is empty: give an object per line"),
        (b"[1]\n", "line 1 is no JSON object, but a list: give an object per line"),
        (b"id,a\nx,1\n", "line 1 is no JSON object (expecting value at character 1): give"),
        (b'{"a": 1, "a": 2}', "line 1 has the name 'a' twice: give"),
        (b"\xff\xfe{}", "is no UTF-8 text"),
        ('{"a": 1}'.encode("utf-16"), "is no UTF-8 text"),
        (b"\x1f\x8b\x08", "is no UTF-8 text"),
    ],
)
def test_first_lines_that_cannot_be_right(text: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(GraphKDError) as caught:
        table(tmp_path, text)
    assert f"{tmp_path / 'a.jsonl'} {message}" in str(caught.value)
