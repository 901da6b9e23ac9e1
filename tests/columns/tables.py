"""A raw table with every kind of column, and a second hand-made encoding of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

ROWS, TRAIN = 200, np.arange(0, 120)


def mixed(rows: int = ROWS, **columns: Any) -> pd.DataFrame:
    """A table of numbers of two scales, missing values, a category, a boolean and dates; ``None`` leaves out."""
    draw = np.random.default_rng(0)
    days = pd.to_timedelta(draw.integers(0, 900, rows), unit="D")
    table = {
        "age": np.where(draw.random(rows) < 0.2, np.nan, draw.integers(18, 90, rows)),
        "income": draw.normal(50_000, 10_000, rows),
        "visits": draw.integers(0, 50, rows),
        "city": draw.choice(["Bern", "Basel", "Genf"], rows),
        "member": draw.random(rows) < 0.5,
        "joined": pd.Timestamp("2020-01-01") + days,
        **columns,
    }
    return pd.DataFrame({name: column for name, column in table.items() if column is not None})


def numbers(rows: int = ROWS) -> pd.DataFrame:
    """A complete table of numbers of two scales."""
    draw = np.random.default_rng(1)
    return pd.DataFrame({"small": draw.normal(size=rows), "large": draw.normal(40_000, 9_000, rows)})


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as a JSON request holds them: dates as texts, missing values as null."""
    frame = frame.assign(
        **{name: frame[name].dt.strftime("%Y-%m-%d") for name in frame if frame[name].dtype.kind == "M"}
    )
    rows = frame.to_dict(orient="records")
    return [{str(name): None if value != value else value for name, value in row.items()} for row in rows]
