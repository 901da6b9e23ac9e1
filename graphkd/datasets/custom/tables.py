"""Readers of nodes and edges in csv or parquet as data frames."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from graphkd.datasets.validate import MASKS
from graphkd.errors import GraphKDError
from graphkd.io.csv import TRUTH, Cells, CsvTable
from graphkd.io.frame import check_once
from graphkd.io.ids import plain_ids
from graphkd.io.parquet import INDEX, is_number, numbers, open_parquet, range_index, whole

TEXTS = {"nodes": ("id", "label", "split"), "edges": ("source", "target")}
"""Columns that are read as strings: integers would lose the zeros of an id such as 007."""

BLOCK = 2**16
"""Lines per block."""

_WHOLE = re.compile(r"(0|-?[1-9][0-9]*)(\.0)?")


def read_table(folder: Path, name: str, raw: bool = False, as_texts: bool = False) -> tuple[Any, str]:
    """Reads the frame in ``NAME.csv`` or ``NAME.parquet``, and returns it with the path of the file.

    In csv only empty cells and ``nan`` are missing values; ids and ends of edges are strings, and labels are
    integers if all of them are written as such. All other columns are numeric, unless they are read raw: then
    those of a parquet file have any type, and those of a csv are numbers if the whole file holds no other
    features, else texts.

    Args:
        folder: of the file.
        name: of the file, without its ending.
        raw: whether columns other than ids, labels, splits and masks are read raw.
        as_texts: whether raw columns of a csv are texts in any case, so that ``007`` is not 7.

    Raises:
        GraphKDError: neither file or both exist, or the file cannot be read.
    """
    files = [folder / f"{name}.{kind}" for kind in ("csv", "parquet")]
    existing = [file for file in files if file.is_file()]
    if len(existing) != 1:
        state, remedy = ("both", "keep") if existing else ("neither", "give")
        raise GraphKDError(f"{folder} holds {state} of {name}.csv and {name}.parquet: {remedy} one of them")
    (file,) = existing
    if file.suffix != ".csv":
        return _frame(_read_parquet(file, TEXTS[name], raw)), str(file)
    columns = _read_raw_csv(file, TEXTS[name], as_texts) if raw else _read_csv(file, TEXTS[name])
    return _frame(columns), str(file)


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
        columns[names[position]] = _objects(_labels(cells) if names[position] == "label" else cells)
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


def _labels(cells: list[str | None]) -> list[Any]:
    if not all(cell is None or _WHOLE.fullmatch(cell) for cell in cells):
        return _fractions(cells) or cells
    return [None if cell is None else int(cell.removesuffix(".0")) for cell in cells]


def _fractions(cells: list[str | None]) -> list[float | None]:
    """Returns cells as numbers where all of them are, and most have a fraction; else nothing."""
    try:
        numbers = [None if cell is None else float(cell) for cell in cells]
    except ValueError:
        return []
    known = [number for number in numbers if number is not None]
    return numbers if 2 * sum(not number.is_integer() for number in known) > len(known) else []


def _read_parquet(file: Path, texts: Sequence[str], raw: bool = False) -> dict[str, Any]:
    try:
        table = open_parquet(file).read()
    except GraphKDError:
        raise
    except Exception as error:  # pyarrow raises many types for damaged files
        text = " ".join(str(error).split())
        raise GraphKDError(f"{file} cannot be read as parquet ({text}): write it again") from None
    index = range_index(table.schema)
    index_columns = {} if index is None or index[0] not in texts else {index[0]: _objects(list(index[1]))}
    check_once([*index_columns, *table.column_names], str(file))
    columns: dict[str, Any] = {**index_columns}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if name.startswith(INDEX):
            continue
        if name == "label" and str(column.type) in ("float", "halffloat"):
            columns[name] = numbers(whole(column))  # their precision determines which integers are exact
        elif name in texts:
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
