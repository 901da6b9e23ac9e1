"""The encoding of a raw table as features: fitted to training rows, replayed on rows that arrive later."""

from __future__ import annotations

import functools
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from graphkd.columns.kinds import Column, Number
from graphkd.columns.read import Wanted, raw_columns
from graphkd.columns.replay import Replay
from graphkd.columns.summary import dropped_line, line_of
from graphkd.errors import GraphKDError
from graphkd.io.frame import check_once
from graphkd.io.names import is_records
from graphkd.io.rows import as_rows

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ColumnEncoding:
    """How a raw table's columns become features.

    - A number is standardised, ``(x - mean) / deviation`` (``robust``: median and interquartile range, the
      deviation where the quartiles are equal; ``none``: left as it is). Where training rows lack it, the mean
      (``robust``: the median) stands in its place and a feature ``NAME_missing`` is 1. Whole numbers are numbers.
    - A category is one-hot, with a last slot ``NAME=unknown`` for missing values, values that training rows do not
      have, and the text ``unknown``. Booleans likewise. A missing value is no category of its own. Columns of
      texts are categories, and those of pandas' type ``category``.
    - A date is days since 1970-01-01, scaled like a number (standardised under ``none``), and sine and cosine of
      the time of the year and of the day where they vary. Dates without a time zone are in UTC.
    - A column with one value in all training rows is dropped, one that is missing in all, too.

    Under ``auto`` a table is untouched if it is a bag of words or has values 0 and 1 only; see
    ``graphkd.columns.untouched``. A value that is missing in a column that was complete in training becomes the
    mean (median) with a warning, since no feature for it was trained.

    Args:
        columns: fitted columns in the order of the table; empty if the table is untouched.
        numeric: ``standard``, ``robust`` or ``none``.
        rows: number of training rows.
        untouched: names of the columns of an untouched table.
        dropped: columns that are not read, with the reason.

    Raises:
        GraphKDError: two features have one name.

    >>> import numpy as np
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"age": [20.0, 40.0, 60.0], "city": ["Bern", "Oslo", "Bern"]})
    >>> encoding = ColumnEncoding.fit(frame, train=np.array([0, 1]))
    >>> encoding.names_out
    ('age', 'city=Bern', 'city=Oslo', 'city=unknown')
    >>> encoding.transform([{"age": 40.0, "city": "Rome"}]).tolist()
    [[1.0, 0.0, 0.0, 1.0]]
    """

    columns: tuple[Column, ...]
    numeric: str = "standard"
    rows: int = 0
    untouched: tuple[str, ...] = ()
    dropped: tuple[tuple[str, str], ...] = ()
    _warned: set[str] = field(default_factory=set, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_features(self)

    @classmethod
    def fit(
        cls,
        frame: pd.DataFrame,
        train: NDArray[Any],
        columns: str | Mapping[str, str] = "auto",
        numeric: str = "standard",
        where: str = "the table",
    ) -> ColumnEncoding:
        """Fits an encoding to the training rows of a table; other rows are not read.

        Args:
            frame: ``[N, n]`` raw columns.
            train: ``[m]`` row positions of training nodes.
            columns: ``auto``; ``none``, which needs numbers and leaves them as they are; or column → ``number``,
                ``category``, ``boolean``, ``date`` or ``drop``, where ``auto`` would choose another kind.
            numeric: ``standard``, ``robust`` or ``none``.
            where: origin of the table, for error messages.

        Raises:
            GraphKDError: a column is free text, looks like an id, or mixes kinds; or an argument is invalid.

        Source: scikit-learn's ``SimpleImputer``, ``StandardScaler``, ``RobustScaler`` and ``OneHotEncoder``.
        """
        from graphkd.columns.fit_table import fit_table

        return cls(**fit_table(frame, train, columns, numeric, where))

    def transform(self, table: Any) -> NDArray[np.float32]:
        """Encodes rows; single ones and large tables alike, with numpy alone.

        Args:
            table: ``[B, n]``: pandas or polars frame, pyarrow table, mapping of columns, or list of mappings
                such as ``{"age": 41, "city": "Bern"}``; columns are found by name. An array has them in the order
                of ``names_in``.

        Returns:
            ``[B, D]`` float32 in C order; a scipy CSR matrix for an untouched sparse table.

        Raises:
            GraphKDError: a column is missing or duplicated, or a value is not of its column's kind.
        """
        if self.is_identity:
            rows: NDArray[np.float32] = self._untouched(table)
            return rows
        raw = raw_columns(table, self._wanted)
        x, filled = self._replay(raw, len(raw[0]))
        self._warn_of(filled)
        return x

    def numbers(self, table: Any) -> NDArray[np.float32]:
        """Reads the rows of an affine encoding without shift and scale, for runtimes that scale raw numbers.

        Args:
            table: see ``transform``.

        Returns:
            ``[B, D]`` float32 in the columns' units and the order of ``names_in``; means (medians) in place of
            missing values, with the warning of ``transform``.

        Raises:
            GraphKDError: as ``transform``; or the encoding is not affine.
        """
        if self.is_identity or not self.is_affine:
            raise GraphKDError("this encoding of columns is more than shift and scale: use transform")
        raw = raw_columns(table, self._wanted)
        x, filled = self._replay.numbers(raw, len(raw[0]))
        self._warn_of(filled)
        return x

    def _warn_of(self, filled: str | None) -> None:
        if filled is not None and filled not in self._warned:
            self._warned.add(filled)
            warnings.warn(
                f"column '{filled}' has missing values, which training rows did not: the training mean or median "
                "stands in their place",
                stacklevel=3,
            )

    @functools.cached_property
    def names_in(self) -> tuple[str, ...]:
        """Names of the raw columns that are read, in training order."""
        return self.untouched or tuple(column.name for column in self.columns)

    @functools.cached_property
    def names_out(self) -> tuple[str, ...]:
        """Names of the ``D`` features."""
        return self.untouched or tuple(name for column in self.columns for name in column.features)

    @functools.cached_property
    def kinds(self) -> dict[str, str]:
        """Kind of every column that is read: ``number``, ``date``, ``category``, ``boolean`` or ``presence``."""
        fitted = {column.name: column.kind for column in self.columns}
        return fitted or dict.fromkeys(self.untouched, "number")

    @property
    def is_identity(self) -> bool:
        """Whether the features are the raw columns, unchanged."""
        return bool(self.untouched)

    @property
    def is_affine(self) -> bool:
        """Whether ``x' = (x - shift) / scale`` is the whole encoding: complete numeric columns only."""
        return self.is_identity or all(
            isinstance(column, Number) and not column.indicator for column in self.columns
        )

    @property
    def shift(self) -> NDArray[np.float64] | None:
        """``[D]`` subtracted from raw columns, or None where the encoding is not affine."""
        return self._parameters("shift", 0.0)

    @property
    def scale(self) -> NDArray[np.float64] | None:
        """``[D]`` divisors of raw columns after the shift, or None where the encoding is not affine."""
        return self._parameters("scale", 1.0)

    def summary(self) -> list[str]:
        """Returns a line per column: its kind and encoding, how many values are missing, or why it is dropped."""
        lines = [line_of(column, self.numeric, self.rows) for column in self.columns]
        if self.is_identity:
            lines = [f"{len(self.untouched)} columns are used as they are, not scaled"]
        return [*lines, *(dropped_line(name, reason) for name, reason in self.dropped)]

    def to_json(self) -> dict[str, Any]:
        """Returns the encoding as plain JSON; its numbers are finite and round-trip."""
        from graphkd.columns.schema import VERSION, column_json

        return {
            "version": VERSION,
            "numeric": self.numeric,
            "rows": self.rows,
            "columns": [column_json(column) for column in self.columns],
            "untouched": list(self.untouched),
            "dropped": [list(pair) for pair in self.dropped],
        }

    @classmethod
    def from_json(cls, value: Any) -> ColumnEncoding:
        """Reads an encoding that ``to_json`` returned, after a check of every field.

        Raises:
            GraphKDError: a field is missing, unknown or invalid; the message names it.
        """
        from graphkd.columns.schema import fields_of

        fields = fields_of(value)
        return cls(
            tuple(fields["columns"]),
            fields["numeric"],
            fields["rows"],
            tuple(fields["untouched"]),
            tuple((name, reason) for name, reason in fields["dropped"]),
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_json, (self.to_json(),)  # what is compiled for replay cannot be pickled or copied

    def _untouched(self, table: Any) -> Any:
        if isinstance(table, Mapping) or is_records(table):
            raw = raw_columns(table, self._wanted)
            table = np.stack([np.asarray(values) for values in raw], axis=1)
        return as_rows(self._wanted.matcher.align(table), len(self.untouched))

    def _parameters(self, name: str, untouched: float) -> NDArray[np.float64] | None:
        if not self.is_affine:
            return None
        return np.array([getattr(column, name) for column in self.columns] or [untouched] * len(self.untouched))

    @functools.cached_property
    def _wanted(self) -> Wanted:
        return Wanted(self.names_in, (name for name, _ in self.dropped))

    @functools.cached_property
    def _replay(self) -> Replay:
        return Replay(self.columns)


def check_features(encoding: ColumnEncoding) -> None:
    """Checks that there are columns, and that names of columns and of features are unique.

    Raises:
        GraphKDError: there is no column, or a name is there twice.
    """
    if bool(encoding.columns) == bool(encoding.untouched):
        raise GraphKDError("the encoding of columns is damaged: it has no column, or is untouched and has some")
    for names in (encoding.names_in, encoding.names_out):
        if twice := next((name for name, count in Counter(names).items() if count > 1), None):
            raise GraphKDError(f"two columns become the feature '{twice}': rename one of them")
    check_once([*encoding.names_in, *(name for name, _ in encoding.dropped)], "the encoding of columns")
