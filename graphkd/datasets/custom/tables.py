"""Nodes and edges as csv or parquet → frames."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from graphkd.errors import GraphKDError
from graphkd.io.csv import Cells, CsvTable
from graphkd.io.frame import check_once
from graphkd.io.ids import plain_ids
from graphkd.io.parquet import INDEX, is_number, numbers, open_parquet, range_index, whole

TEXTS = {"nodes": ("id", "label", "split"), "edges": ("source", "target")}
"""Columns that are kept as they are written: numbers would lose the zeros of an id such as 007."""

BLOCK = 2**16
"""Lines that are read at once."""

_WHOLE = re.compile(r"(0|-?[1-9][0-9]*)(\.0)?")


def read_table(folder: Path, name: str) -> tuple[Any, str]:
    """The frame in ``NAME.csv`` or ``NAME.parquet``, and the path of the file.

    In csv an empty cell and ``nan`` are missing, nothing else is; ids and ends of edges are texts, and labels are
    whole numbers where all of them are written so. Every other column holds numbers.

    Raises:
        GraphKDError: none of the files is there or both are, or it cannot be read.
    """
    files = [folder / f"{name}.{kind}" for kind in ("csv", "parquet")]
    found = [file for file in files if file.is_file()]
    if len(found) != 1:
        state, remedy = ("both", "keep") if found else ("neither", "give")
        raise GraphKDError(f"{folder} holds {state} of {name}.csv and {name}.parquet: {remedy} one of them")
    (file,) = found
    read = _read_csv if file.suffix == ".csv" else _read_parquet
    return _frame(read(file, TEXTS[name])), str(file)


def _read_csv(file: Path, texts: Sequence[str]) -> dict[str, Any]:
    table = CsvTable(file)
    names = table.names or []
    kept = [place for place, name in enumerate(names) if name in texts]
    rest = [place for place in range(len(names)) if place not in kept]
    parts, row = [table.cells([], rest, kept, np.float64)], 0
    for lines in table.blocks(BLOCK):
        part = table.cells(lines, rest, kept, np.float64)
        _check(part, table, rest, row)
        parts.append(part)
        row += len(lines)
    values = np.concatenate([part.numbers for part in parts])
    columns = {names[place]: values[:, at] for at, place in enumerate(rest)}
    for at, place in enumerate(kept):
        cells = [None if cell in ("", "nan", "NaN") else cell for part in parts for cell in part.texts[at]]
        columns[names[place]] = _objects(_labels(cells) if names[place] == "label" else cells)
    return {name: columns[name] for name in names}


def _check(part: Cells, table: CsvTable, places: Sequence[int], before: int) -> None:
    """Refuses the first line that cannot be read, or holds a number that is not finite."""
    wrong = ~np.isfinite(part.numbers)
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
        held = part.faults.get(row, f"column '{name}' holds {part.numbers[row, int(wrong[row].argmax())]}")
        reason = f"{held}, not a finite number: fill it, encode it, or leave the column out"
    raise GraphKDError(f"{table.path} line {table.line_of(before + row)}: {reason}")


def _labels(cells: list[str | None]) -> list[Any]:
    if not all(cell is None or _WHOLE.fullmatch(cell) for cell in cells):
        return cells
    return [None if cell is None else int(cell.removesuffix(".0")) for cell in cells]


def _read_parquet(file: Path, texts: Sequence[str]) -> dict[str, Any]:
    try:
        table = open_parquet(file).read()
    except GraphKDError:
        raise
    except Exception as error:  # pyarrow answers damaged files in many ways
        text = " ".join(str(error).split())
        raise GraphKDError(f"{file} cannot be read as parquet ({text}): write it again") from None
    index = range_index(table.schema)
    kept = {} if index is None or index[0] not in texts else {index[0]: _objects(list(index[1]))}
    check_once([*kept, *table.column_names], str(file))
    columns: dict[str, Any] = {**kept}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if name.startswith(INDEX):
            continue
        if name == "label" and str(column.type) in ("float", "halffloat"):
            columns[name] = numbers(whole(column))  # whose precision says which whole numbers are exact
        elif name in texts:
            columns[name] = _objects(plain_ids(whole(column).to_pylist(), f"{file} column '{name}'"))
        elif is_number(column.type):
            columns[name] = numbers(whole(column))
        else:
            raise GraphKDError(
                f"{file} column '{name}' holds {column.type}, not numbers: encode it, or leave it out"
            )
    return columns


def _objects(values: list[Any]) -> Any:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _frame(columns: dict[str, Any]) -> Any:
    import pandas as pd

    return pd.DataFrame({name: pd.Series(column, dtype=column.dtype) for name, column in columns.items()})
