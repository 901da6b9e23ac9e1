"""Selection of the student's features among the columns of a table."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from graphkd.columns import ColumnEncoding
from graphkd.deploy.names import Columns
from graphkd.errors import GraphKDError
from graphkd.io.frame import check_once
from graphkd.io.parquet import INDEX

OTHER = ("id", "label", "split", "train_mask", "val_mask", "test_mask")
"""Columns of a node table that are not features, see ``graphkd.datasets.custom.folder``."""

LABEL_ = "label_"
"""Start of the names of columns with several labels, in a table without a column ``label``."""


@dataclass(frozen=True)
class Layout:
    """Columns of a table.

    Args:
        features: names of the feature columns in the student's order.
        id: name of the id column, which is copied to the output, or None.
    """

    features: list[str]
    id: str | None


@dataclass(frozen=True)
class Wanted:
    """Columns that the student takes.

    Args:
        width: ``D``.
        names: ``D`` feature names, or None: then columns are matched in the order of the file.
        id: id column to copy to the output; by default ``id``, if it exists.
        header: whether the first line of a csv contains column names.
        encoding: of the columns as features, or None if they are the features.
    """

    width: int
    names: list[str] | None = None
    id: str | None = None
    header: bool = True
    encoding: ColumnEncoding | None = None

    @classmethod
    def of(cls, columns: Columns, num_features: int, row_id: str | None = None, header: bool = True) -> Wanted:
        """Returns what a student takes, from its ``columns`` and ``num_features``."""
        encoding = columns.encoding
        width = num_features if encoding is None else len(encoding.names_in)
        return cls(width, columns.names, row_id, header, encoding)


def layout_of(columns: Sequence[str], wanted: Wanted, file: str) -> Layout:
    """Selects the features by name, or all columns that are neither id nor label.

    Args:
        columns: all of the file.
        wanted: columns that the student takes.
        file: for the error message.

    Raises:
        GraphKDError: a column is missing or duplicated, or their number is wrong.
    """
    check_once(columns, file)
    names = set(wanted.names or [])
    if wanted.id is not None and wanted.id not in columns:
        raise GraphKDError(f"{file} has no column '{wanted.id}' to be the id: there are {_some(columns)}")
    row_id = wanted.id or ("id" if "id" in columns and "id" not in names else None)
    other = {name for name in columns if name == row_id or _is_other(name)}
    if "label" not in columns:
        other |= {name for name in columns if name.startswith(LABEL_)}
    rest = [name for name in columns if name in names or name not in other]
    if wanted.names is not None:
        _check_names(rest, wanted.names, file)
        return Layout(list(wanted.names), row_id)
    if len(rest) != wanted.width:
        raise GraphKDError(
            f"{file} has {len(rest)} columns of features ({_some(rest)}), the student takes {wanted.width}: give "
            "as many, beside id and label"
        )
    return Layout(rest, row_id)


def _check_names(found: list[str], names: list[str], file: str) -> None:
    features, columns = set(names), set(found)
    missing = [name for name in names if name not in columns]
    extra = [name for name in found if name not in features]
    if missing:
        raise GraphKDError(f"{file} has no column {_some(missing, quote=True)}: the student takes {_some(names)}")
    if extra:
        warnings.warn(
            f"{file} has columns that are no features of the student and are ignored: {_some(extra, quote=True)}",
            stacklevel=2,
        )


def _is_other(name: str) -> bool:
    return name in OTHER or name.startswith(INDEX)


def _some(names: Sequence[str], quote: bool = False) -> str:
    listed = [f"'{name}'" if quote else name for name in names[:8]]
    return ", ".join(listed) + (", …" if len(names) > 8 else "") if names else "none"
