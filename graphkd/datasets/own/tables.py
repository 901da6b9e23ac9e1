"""Nodes and edges as csv or parquet → frames."""

from __future__ import annotations

import re
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
        frame["label"] = frame["label"].astype("float64")
    return frame


def _read_parquet(file: Path) -> Any:
    import pandas as pd

    try:
        return pd.read_parquet(file).reset_index(drop=True)
    except ImportError:
        raise GraphKDError(f"{file} needs pyarrow: pip install 'graphkd[parquet]', or give csv") from None
