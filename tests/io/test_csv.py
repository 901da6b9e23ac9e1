"""The one csv reader: the same cells for training and for serving, fast or one by one."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphkd import GraphKDError, load_dataset
from graphkd.io.csv import CsvTable, number_of

CELLS = {
    "1": 1.0,
    " 1.5 ": 1.5,
    "+1": 1.0,
    "1.": 1.0,
    "1e5": 1e5,
    "true": 1.0,
    "FALSE": 0.0,
    "tRuE": 1.0,
    '"2"': 2.0,
    '"true"': 1.0,
    "1_0": None,
    "0x10": None,
    "１": None,
    "\u00a01": 1.0,
    "1\u00a00": None,
    "1d5": None,
    "T": None,
    '"1,5"': None,
    "": None,
    "a": None,
}


def table(folder: Path, text: str) -> CsvTable:
    (folder / "a.csv").write_text(text, encoding="utf-8")
    return CsvTable(folder / "a.csv")


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_is_the_same_number_alone_and_beside_a_bad_line(cell: str, tmp_path: Path) -> None:
    lines = [f"{cell},2\n", "x,3\n"]
    for chosen in (lines[:1], lines):
        found = table(tmp_path, "a,b\n" + "".join(chosen)).cells(chosen, [0, 1])
        if CELLS[cell] is None:
            assert found.faults[0].startswith("column 'a' holds ")
        else:
            assert 0 not in found.faults
            assert found.numbers[0].tolist() == [CELLS[cell], 2.0]


@pytest.mark.parametrize("cell", CELLS)
def test_training_reads_cells_as_serving_does(cell: str, tmp_path: Path) -> None:
    rows = "".join(f"{index % 2},{cell if index == 3 else index}\n" for index in range(12))
    (tmp_path / "nodes.csv").write_text("label,f\n" + rows, encoding="utf-8")
    (tmp_path / "edges.csv").write_text("source,target\n0,1\n")
    if CELLS[cell] is None:
        with pytest.raises(GraphKDError, match="nodes.csv line 5: column 'f' holds ") as caught:
            load_dataset("custom", path=tmp_path, columns="none")
        assert "\n" not in str(caught.value)
    else:
        assert load_dataset("custom", path=tmp_path, columns="none").x[3].tolist() == [CELLS[cell]]


@given(st.floats(allow_nan=False, width=64))
def test_numbers_come_back(value: float) -> None:
    for text in (repr(value), f"{value:.17e}", f" {value!r}"):
        assert number_of(text) == value


def test_texts_are_kept_as_they_are_written(tmp_path: Path) -> None:
    lines = ['" a, b ",1,007\n', '"say ""x""",2,NA\n', "é,3,\n"]
    found = table(tmp_path, "id,f,code\n" + "".join(lines)).cells(lines, [1], [0, 2], np.float64)
    assert found.texts == [[" a, b ", 'say "x"', "é"], ["007", "NA", ""]]
    assert found.numbers.tolist() == [[1], [2], [3]]
    assert found.numbers.dtype == np.float64


def test_truth_values_among_many_numbers_change_no_text(tmp_path: Path) -> None:
    lines = [f'"x,true,{row}",{row},{"True" if row % 3 else "0"}\n' for row in range(50)]
    found = table(tmp_path, "id,f,g\n" + "".join(lines)).cells(lines, [1, 2], [0])
    assert not found.faults
    assert found.texts[0][7] == "x,true,7"
    assert found.numbers[:, 1].tolist() == [float(row % 3 > 0) for row in range(50)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("a,a\n1,2\n", "has 2 columns 'a': rename all but one"),
        (",a\n0,1\n", "has a column without a name: name it, or write the file with index=False"),
        ('id,"f\nx"\n0,1\n', "line 1 holds a quote that does not end on it"),
        ('"a"b,c\n0,1\n', "line 1 cannot be divided into cells"),
    ],
)
def test_names_that_cannot_be_right(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(GraphKDError, match=message) as caught:
        table(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_lines_that_cannot_be_divided_are_faults_of_their_own(tmp_path: Path) -> None:
    lines = ['"a"b,1\n', "c,2\n", "d,2,3\n", "\n"]
    found = table(tmp_path, "id,f\n" + "".join(lines)).cells(lines, [1], [0])
    assert found.faults.keys() == {0, 2, 3}
    assert "cannot be divided into cells" in found.faults[0]
    assert found.texts[0][1] == "c"


def test_rows_have_the_numbers_of_their_lines(tmp_path: Path) -> None:
    found = table(tmp_path, "\ufefff\r\n1\r\n\r\n3\r\n\r\n\r\n")
    assert list(found.blocks(2)) == [["1\n", "\n"], ["3\n"]]
    assert list(found.blocks(2, skip=1)) == [["3\n"]]
    assert found.line_of(2) == 4
