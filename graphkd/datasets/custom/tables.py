"""Readers of nodes and edges in csv or parquet as data frames."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from graphkd.datasets.custom.label_cells import mostly_fractions
from graphkd.datasets.validate import MASKS
from graphkd.errors import GraphKDError
from graphkd.io.csv import TRUTH, Cells, CsvTable, number_of
from graphkd.io.frame import check_once
from graphkd.io.ids import plain_ids
from graphkd.io.parquet import INDEX, is_number, numbers, open_parquet, range_index, whole
from graphkd.io.parts import concatenated

TEXTS = {"nodes": ("id", "label", "split"), "edges": ("source", "target")}
"""Columns that are read as strings: integers would lose the zeros of an id such as 007."""

BLOCK = 2**16
"""Lines per block."""

LABEL_ = "label_"
"""Start of the names of columns with several labels."""

_WHOLE = re.compile(r"(0|-?[1-9][0-9]*)(\.0)?")


def label_columns(names: Iterable[str]) -> list[str]:
    """Returns the names of columns with several labels; none where there is a column ``label``.

    >>> label_columns(["id", "label_red", "label_round"]), label_columns(["label", "label_red"])
    (['label_red', 'label_round'], [])
    """
    names = list(names)
    return [] if "label" in names else [name for name in names if name.startswith(LABEL_) and name != LABEL_]


def read_table(
    folder: Path, name: str, raw: bool = False, as_texts: bool = False, task: str | None = None
) -> tuple[Any, str]:
    """Reads the frame in ``NAME.csv``, ``NAME.parquet`` or the parts ``NAME/*.parquet``; returns it with its path.

    In csv only empty cells and ``nan`` are missing values; ids and ends of edges are strings, and labels are
    integers if all of them are written as such, and numbers if most have a fraction. All other columns are
    numeric, unless they are read raw: then those of a parquet file have any type, and those of a csv are numbers
    if the whole file holds no other features, else texts.

    Args:
        folder: of the file.
        name: of the file, without its ending, or of the folder of its parts.
        raw: whether columns other than ids, labels, splits and masks are read raw.
        as_texts: whether raw columns of a csv are texts in any case, so that ``007`` is not 7.
        task: of the labels, or ``None``.

    Raises:
        GraphKDError: neither file or both exist, or the file cannot be read.
    """
    file = _place(folder, name)
    if file.is_dir() or file.suffix != ".csv":
        return _frame(_read_parquet(file, TEXTS[name], raw)), str(file)
    texts = (*TEXTS[name], *label_columns(CsvTable(file).names or []))
    columns = _read_raw_csv(file, texts, as_texts) if raw else _read_csv(file, texts)
    if "label" in columns:
        columns["label"] = _objects(_labels(columns["label"].tolist(), task))
    for label in label_columns(columns):
        columns[label] = _objects([_value(cell) for cell in columns[label]])
    return _frame(columns), str(file)


def _place(folder: Path, name: str) -> Path:
    """Returns the one file, or folder of parts, that holds a table."""
    files = [folder / f"{name}.{kind}" for kind in ("csv", "parquet")]
    existing = [file for file in files if file.is_file()]
    parts = folder / name
    if parts.is_dir():
        if existing:
            raise GraphKDError(f"{folder} holds both {existing[0].name} and the folder {name}: keep one of them")
        return parts
    if len(existing) != 1:
        state, remedy = ("both", "keep") if existing else ("neither", "give")
        raise GraphKDError(f"{folder} holds {state} of {name}.csv and {name}.parquet: {remedy} one of them")
    return existing[0]


def _read_raw_csv(file: Path, texts: Sequence[str], as_texts: bool) -> dict[str, Any]:
    """Reads a csv as numbers where all features are numbers, else all features as texts."""
    table = CsvTable(file)
    names = table.names or []
    if not as_texts:
        try:
            return _read_csv(file, texts, finite=False)
        except _NotNumbersError:
            pass
    return _read_csv(file, (*texts, *(name for name in names if name not in texts and name not in MASKS)))


class _NotNumbersError(Exception):
    """Raised where a line holds something else than numbers."""


def _read_csv(file: Path, texts: Sequence[str], finite: bool = True) -> dict[str, Any]:
    table = CsvTable(file)
    names = table.names or []
    text_columns = [position for position, name in enumerate(names) if name in texts]
    number_columns = [position for position in range(len(names)) if position not in text_columns]
    parts, row = [table.cells([], number_columns, text_columns, np.float64)], 0
    for lines in table.blocks(BLOCK):
        block = table.cells(lines, number_columns, text_columns, np.float64)
        if not finite and (block.faults or any(truth in line.lower() for line in lines for truth in TRUTH)):
            raise _NotNumbersError  # booleans are none, either
        _check(block, table, number_columns, row, finite)
        parts.append(block)
        row += len(lines)
    values = np.concatenate([block.numbers for block in parts])
    columns = {names[position]: values[:, index] for index, position in enumerate(number_columns)}
    for index, position in enumerate(text_columns):
        cells = [None if cell in ("", "nan", "NaN") else cell for block in parts for cell in block.texts[index]]
        columns[names[position]] = _objects(cells)
    return {name: columns[name] for name in names}


def _check(part: Cells, table: CsvTable, places: Sequence[int], before: int, finite: bool) -> None:
    """Raises for the first line that cannot be read or, where ``finite``, contains a number that is not finite."""
    wrong = ~np.isfinite(part.numbers) & finite
    rows = [*part.faults, *np.flatnonzero(wrong.any(axis=1)).tolist()]
    if not rows:
        return
    row = min(rows)
    if row in part.faults and "cells" in part.faults[row]:
        reason = (
            f"{part.faults[row]}: correct the line, or write the file without row names, with decimal points and "
            "with quoted commas"
        )
    else:
        name = (table.names or [])[places[int(wrong[row].argmax())]]
        fault = part.faults.get(row, f"column '{name}' holds {part.numbers[row, int(wrong[row].argmax())]}")
        reason = f"{fault}, not a finite number: fill it, encode it, or leave the column out"
    raise GraphKDError(f"{table.path} line {table.line_of(before + row)}: {reason}")


def _labels(cells: list[str | None], task: str | None) -> list[Any]:
    """Returns labels as integers if all are written as such, or as numbers if they are to be predicted."""
    if task == "multilabel":
        return cells
    if all(cell is None or _WHOLE.fullmatch(cell) for cell in cells):
        return [None if cell is None else int(cell.removesuffix(".0")) for cell in cells]
    if task in ("multiclass", "binary"):
        return cells
    values = [_value(cell) for cell in cells]
    return values if task == "regression" or mostly_fractions(values) else cells


def _value(cell: str | None) -> Any:
    """Returns the number or the boolean in a cell, or the cell itself."""
    if cell is None:
        return None
    if (truth := TRUTH.get(cell.strip().lower())) is not None:
        return truth == "1"
    number = number_of(cell)
    return cell if number is None else number


def _read_parquet(file: Path, texts: Sequence[str], raw: bool = False) -> dict[str, Any]:
    try:
        table = concatenated(file) if file.is_dir() else open_parquet(file).read()
    except GraphKDError:
        raise
    except Exception as error:  # pyarrow raises many types for damaged files
        text = " ".join(str(error).split())
        raise GraphKDError(f"{file} cannot be read as parquet ({text}): write it again") from None
    index = range_index(table.schema)
    index_columns = {} if index is None or index[0] not in texts else {index[0]: _objects(list(index[1]))}
    check_once([*index_columns, *table.column_names], str(file))
    columns: dict[str, Any] = {**index_columns}
    labels = ["label", *label_columns(table.column_names)] if "label" in texts else []
    for name, column in zip(table.column_names, table.columns, strict=True):
        if name.startswith(INDEX):
            continue
        if name in labels and str(column.type) in ("double", "float", "halffloat"):
            columns[name] = numbers(whole(column))  # their precision determines which integers are exact
        elif name in texts or name in labels:
            columns[name] = _objects(plain_ids(whole(column).to_pylist(), f"{file} column '{name}'"))
        elif is_number(column.type) and (not raw or name in MASKS or not str(column.type).startswith("bool")):
            columns[name] = numbers(whole(column))
        elif raw:
            columns[name] = _raw_values(whole(column), f"{file} column '{name}'")
        else:
            raise GraphKDError(
                f"{file} column '{name}' holds {column.type}, not numbers: encode it, or leave it out"
            )
    return columns


def _raw_values(array: Any, where: str) -> Any:
    """Converts an Arrow array of any type to numpy dates or to an array of objects."""
    try:
        values = array.to_numpy(zero_copy_only=False)
        return values if values.dtype.kind in "bM" else _objects(array.to_pylist())
    except (ValueError, TypeError, OverflowError, NotImplementedError) as error:  # dates that Python cannot hold
        text = " ".join(str(error).split())
        raise GraphKDError(f"{where} cannot be read ({text}): encode it, or leave it out") from None


def _objects(values: list[Any]) -> Any:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _frame(columns: dict[str, Any]) -> Any:
    import pandas as pd

    return pd.DataFrame({name: pd.Series(column, dtype=column.dtype) for name, column in columns.items()})
