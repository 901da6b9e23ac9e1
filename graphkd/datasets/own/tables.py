"""Nodes and edges as csv or parquet → frames."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path
from typing import Any

from graphkd.errors import GraphKDError

TEXT_COLUMNS = ("id", "source", "target", "label", "split")
"""Read as texts: numbers would lose the zeros of an id such as 007."""

_WHOLE = re.compile(r"-?(0|[1-9]\d*)(\.0)?")


def read_table(folder: Path, name: str) -> tuple[Any, str]:
    """The frame in ``NAME.csv`` or ``NAME.parquet``, and the path of the file.

    In csv an empty cell and ``nan`` are missing, nothing else is; ids and ends of edges are texts, and labels are
    whole numbers where all of them are written so.

    Raises:
        GraphKDError: none of the files is there or both are, or it cannot be read.
    """
    files = [folder / f"{name}.{kind}" for kind in ("csv", "parquet")]
    found = [file for file in files if file.is_file()]
    if len(found) != 1:
        state, remedy = ("both", "keep") if found else ("neither", "give")
        raise GraphKDError(f"{folder} holds {state} of {name}.csv and {name}.parquet: {remedy} one of them")
    (file,) = found
    try:
        frame = _read_csv(file) if file.suffix == ".csv" else _read_parquet(file)
    except GraphKDError:
        raise
    except Exception as error:  # pandas and pyarrow answer damaged files in many ways
        text = " ".join(str(error).split())
        raise GraphKDError(f"{file} cannot be read as a table ({text}): write it again") from None
    return frame, str(file)


def _read_csv(file: Path) -> Any:
    import pandas as pd

    _check_cells(file)
    header = pd.read_csv(file, nrows=0, encoding="utf-8-sig").columns
    if any(name.startswith("Unnamed: ") for name in header):
        raise GraphKDError(f"{file} has a column without a name: name it, or write the file with index=False")
    texts = {name: str for name in TEXT_COLUMNS if name in header}
    frame = pd.read_csv(
        file,
        dtype=texts,
        keep_default_na=False,
        na_values=["", "nan", "NaN"],
        encoding="utf-8-sig",
        index_col=False,
    )
    if "label" in frame and all(_WHOLE.fullmatch(text) for text in frame["label"].dropna()):
        whole = [None if pd.isna(text) else int(text.removesuffix(".0")) for text in frame["label"]]
        frame["label"] = pd.Series(whole, dtype=object, index=frame.index)
    return frame


def _check_cells(file: Path) -> None:
    """Refuses what pandas would guess at: rows longer or shorter than the header, and names that are there twice.

    Raises:
        GraphKDError: the line names the file and where it is.
    """
    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines)
        header = next(reader, [])
        if twice := next((name for name, count in Counter(header).items() if count > 1 and name), None):
            raise GraphKDError(f"{file} has {header.count(twice)} columns '{twice}': rename all but one")
        empty = 0
        for row in reader:
            if any("\n" in cell for cell in row):
                raise GraphKDError(
                    f"{file} line {reader.line_num} ends a cell with a line break in it: remove the break"
                )
            if not row:
                empty = empty or reader.line_num
            elif empty or len(row) != len(header):
                where = empty or reader.line_num
                held = 0 if empty else len(row)
                raise GraphKDError(
                    f"{file} line {where} has {held} cells, the header has {len(header)}: correct the line, or "
                    "write the file without row names, with decimal points and with quoted commas"
                )


def _read_parquet(file: Path) -> Any:
    import pandas as pd

    try:
        frame = pd.read_parquet(file)
    except ImportError:
        raise GraphKDError(f"{file} needs pyarrow: pip install 'graphkd[parquet]', or give csv") from None
    named = [name for name in frame.index.names if name is not None]
    return frame.reset_index(drop=not named)  # an index with a name is a column, such as id
