"""Encodings of one column each: what is fitted to it, and the features that it becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

UNKNOWN = "unknown"
"""Slot of values that training did not have, of missing ones, and of the text itself."""


@dataclass(frozen=True)
class Number:
    """A numeric column: ``x' = (x - shift) / scale``, missing values imputed.

    Args:
        name: of the column.
        fill: value in place of missing ones, in the column's unit.
        shift: subtracted, in the column's unit.
        scale: divisor, positive.
        indicator: whether a second feature is 1 where the value is missing.
        missing: training rows without a value.
        whole: whether all training values are integers, as codes are.
    """

    kind: ClassVar[str] = "number"
    name: str
    fill: float
    shift: float = 0.0
    scale: float = 1.0
    indicator: bool = False
    missing: int = 0
    whole: bool = False

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return (self.name, *([f"{self.name}_missing"] if self.indicator else []))


@dataclass(frozen=True)
class Date:
    """A column of dates or timestamps, in UTC.

    The features are days since 1970-01-01, scaled like a number, and sine and cosine of the time of the year and
    of the day where these vary in training; both are 0 where the date is missing.

    Args:
        name: of the column.
        fill: days in place of missing dates.
        shift: subtracted days.
        scale: divisor in days, positive.
        indicator: whether a feature is 1 where the date is missing.
        missing: training rows without a date.
        year: whether the time of the year varies.
        day: whether the time of the day varies.
    """

    kind: ClassVar[str] = "date"
    name: str
    fill: float
    shift: float
    scale: float
    indicator: bool = False
    missing: int = 0
    year: bool = False
    day: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        """The periods with sine and cosine: ``year`` and ``day``."""
        return (*(["year"] if self.year else []), *(["day"] if self.day else []))

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        waves = [f"{self.name}_{part}_{wave}" for part in self.parts for wave in ("sin", "cos")]
        return (f"{self.name}_days", *waves, *([f"{self.name}_missing"] if self.indicator else []))


@dataclass(frozen=True)
class Category:
    """A column of categories, one-hot with a last slot ``unknown``.

    Args:
        name: of the column.
        values: of the training rows, sorted, as texts.
        missing: training rows without a value.
    """

    kind: ClassVar[str] = "category"
    name: str
    values: tuple[str, ...]
    missing: int = 0

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return tuple(f"{self.name}={value}" for value in (*self.values, UNKNOWN))


@dataclass(frozen=True)
class Boolean:
    """A column of booleans, one-hot: false, true, unknown.

    Args:
        name: of the column.
        missing: training rows without a value.
    """

    kind: ClassVar[str] = "boolean"
    name: str
    missing: int = 0

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return tuple(f"{self.name}={value}" for value in ("false", "true", UNKNOWN))


@dataclass(frozen=True)
class Presence:
    """A column whose training rows have one number or date, or none: one feature, 1 where it is missing.

    Args:
        name: of the column.
        missing: training rows without a value.
    """

    kind: ClassVar[str] = "presence"
    name: str
    missing: int = 0

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return (f"{self.name}_missing",)


Column = Number | Date | Category | Boolean | Presence

KINDS: dict[str, type[Column]] = {kind.kind: kind for kind in (Number, Date, Category, Boolean, Presence)}
