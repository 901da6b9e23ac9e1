"""Features from the columns of a table, encoded by what its training rows hold."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from graphkd.atomic_io import sha256_of
from graphkd.columns import ColumnEncoding
from graphkd.columns.cells import CellError
from graphkd.columns.read import series_values
from graphkd.columns.untouched import is_untouched, warn_of_scales
from graphkd.datasets.custom.features import check_finite, feature_tensor
from graphkd.errors import GraphKDError
from graphkd.io.csv import TRUTH, number_of
from graphkd.io.frame import frame_numbers

if TYPE_CHECKING:
    import pandas as pd
    from torch_geometric.data import Data

AS_TEXT = ("category", "boolean", "date")
"""Kinds whose cells in a csv keep what is written: ``007`` is not 7."""


@dataclass(frozen=True)
class RawTable:
    """Raw feature columns of a graph, in node order, kept until the training nodes are known.

    Args:
        frame: ``[N, n]``.
        where: its origin, for error messages.
        is_csv: whether columns of objects hold the texts of a csv, ``None`` where a cell is empty.
    """

    frame: pd.DataFrame
    where: str
    is_csv: bool = False

    def subset(self, nodes: list[int]) -> RawTable:
        """Returns the rows of ``nodes [n]``."""
        return RawTable(self.frame.iloc[nodes], self.where, self.is_csv)

    def fingerprint(self) -> str:
        """Returns a checksum of names and values."""
        parts: list[Any] = []
        for at, label in enumerate(self.frame.columns):
            values = series_values(self.frame.iloc[:, at])
            parts.append(f"{label} {values.dtype} {len(values)}".encode())
            if values.dtype == object:
                texts = [f"{type(value).__name__} {value}" for value in values]
                parts.append("".join(f"{len(text)} {text}" for text in texts).encode("utf-8", "surrogatepass"))
            else:
                parts.append(np.ascontiguousarray(values).view(np.uint8))
        return sha256_of(parts)

    def located(self, error: CellError) -> str:
        """Returns an error's message with the origin of the table, and of a csv the line."""
        if not self.is_csv:
            return f"{self.where} {error}"
        line = int(self.frame.index[error.row]) + 2  # a line of names comes first
        return f"{self.where} line {line}: {error.found}, not {error.expected}"

    def typed(self, train: np.ndarray[Any, Any], kinds: Mapping[str, str]) -> pd.DataFrame:
        """Returns the frame with cells of a csv as numbers and booleans, where all training rows hold these.

        Args:
            train: ``[m]`` training rows; the others decide nothing.
            kinds: column → kind, where it is given by name.
        """
        if not self.is_csv:
            return self.frame
        frame = self.frame.copy(deep=False)
        for name in frame.columns:
            column = frame[name]
            if column.dtype == object and kinds.get(str(name)) not in AS_TEXT:
                frame[name] = _typed(column.to_numpy(), train, str(name) in kinds)
        return frame


def put_features(data: Data, columns: Any, numeric: str) -> None:
    """Encodes the raw table of ``data`` by its training nodes and puts the features in place.

    Masks are final by then, since other rows must not be read; with a split that is drawn by seed, the encoding
    is of that seed. Without training nodes, a graph to predict on, columns must be numbers and stay as they are.

    Args:
        data: with ``raw_columns``; replaced by ``x``, ``feature_names``, ``table_fingerprint`` and, unless the
            table is untouched, ``column_encoding``.
        columns: ``auto``, a mapping of kinds, or a ``ColumnEncoding`` that was fitted before.
        numeric: ``standard``, ``robust`` or ``none``.

    Raises:
        GraphKDError: a column is refused.
    """
    raw: RawTable = data.raw_columns
    del data.raw_columns
    data.table_fingerprint = raw.fingerprint()
    kinds = columns if isinstance(columns, Mapping) else {}
    train = data.train_mask.nonzero().reshape(-1).numpy() if "train_mask" in data else np.arange(0)
    if isinstance(columns, ColumnEncoding):
        encoding, frame = columns, raw.typed(np.arange(len(raw.frame)), columns.kinds)
    elif not len(train):
        _put_unfitted(data, raw)
        return
    else:
        frame = raw.typed(train, kinds)
        encoding = ColumnEncoding.fit(frame, train, columns, numeric, raw.where)
    names = list(encoding.names_out)
    if encoding.is_identity:
        _put_numbers(data, frame[[label for label in frame.columns if str(label) in names]], raw.where)
        return
    try:
        x = encoding.transform(frame)
    except CellError as error:
        raise GraphKDError(raw.located(error)) from None
    except GraphKDError as error:
        raise GraphKDError(f"{raw.where} {error}") from None
    data.x, data.feature_names, data.column_encoding = feature_tensor(x, raw.where, names), names, encoding


def encode_columns(data: Data, columns: Any, numeric: str) -> None:
    """Puts the features of ``data`` in place if they are columns of a table; else checks ``columns`` against them.

    Args:
        data: with final masks, if it has any.
        columns: see ``put_features``; ``none`` checks the scales.
        numeric: see ``put_features``.

    Raises:
        GraphKDError: a column is refused, or columns are named where features are an array.
    """
    if "raw_columns" in data:
        put_features(data, columns, numeric)
    elif columns == "none":
        _warn_unscaled(data)
    elif isinstance(columns, Mapping | ColumnEncoding):
        raise GraphKDError("columns names columns, but the features are an array: leave it out, or give a table")


def _warn_unscaled(data: Data) -> None:
    if "feature_names" in data and "train_mask" in data and not data.x.is_sparse_csr:
        warn_of_scales(data.x[data.train_mask].numpy(), data.feature_names, stacklevel=6)


def _put_unfitted(data: Data, raw: RawTable) -> None:
    every = np.arange(len(raw.frame))
    frame = raw.typed(every, {})
    try:
        _put_numbers(data, frame, raw.where)
    except GraphKDError as error:
        raise GraphKDError(
            f"{error}; without training nodes nothing is encoded: give label=COLUMN to train, or, to predict, "
            "columns=data.column_encoding of the data that the model was trained on"
        ) from None
    if not is_untouched(frame, every):
        warnings.warn(
            f"{raw.where} has no training nodes to fit its columns to: they stay as they are; give "
            "columns=data.column_encoding of the data that the model was trained on, or columns='none'",
            stacklevel=6,
        )


def _put_numbers(data: Data, frame: pd.DataFrame, where: str) -> None:
    names = [str(label) for label in frame.columns]
    table = frame_numbers(frame, where=where)
    if isinstance(table, np.ndarray):
        check_finite(table, names, where)
    data.x, data.feature_names = feature_tensor(table, where, names), names


def _typed(cells: np.ndarray[Any, Any], train: np.ndarray[Any, Any], as_number: bool) -> np.ndarray[Any, Any]:
    known = [cell for cell in cells[train] if cell is not None]
    if known and all(cell.strip().lower() in TRUTH for cell in known):
        truth = [TRUTH.get("" if cell is None else cell.strip().lower()) for cell in cells]
        return _objects([cell if one is None else one == "1" for cell, one in zip(cells, truth, strict=True)])
    if not (known and (as_number or all(number_of(cell) is not None for cell in known))):
        return cells
    values = [np.nan if cell is None else number_of(cell) for cell in cells]
    if any(value is None for value in values):  # the encoding refuses it, and names the row
        return _objects([cell if value is None else value for cell, value in zip(cells, values, strict=True)])
    return np.array(values, dtype=np.float64)


def _objects(values: list[Any]) -> np.ndarray[Any, Any]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
