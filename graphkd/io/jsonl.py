"""Reader of files with a JSON object per line, by name; it depends on numpy only."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.errors import GraphKDError, printable
from graphkd.io.lines import LineTable, StandardInput

NUMBERS = {int, float, bool}
"""Types of JSON that are numbers."""

LONGEST_ID = 2**63
"""Whole numbers whose absolute value reaches it are no ids."""


class InvalidRowError(ValueError):
    """A line that is no row; its message goes on after the line's number."""


@dataclass(frozen=True)
class Objects:
    """The parsed objects of consecutive lines of a file.

    Args:
        numbers: ``[B, n]`` float32, values of the numeric columns.
        ids: ``[B]``, texts or an int64 array; None without an id.
        faults: line index within the block → why it cannot be read; that row of ``numbers`` is undefined.
    """

    numbers: NDArray[np.float32]
    ids: Any
    faults: dict[int, str] = field(default_factory=dict)


class JsonTable(LineTable):
    """A file with a JSON object per line, whose names are those of the first one, in any order.

    A number is a JSON number; ``true`` and ``false`` are 1 and 0, texts are none. Duplicate names, ``NaN`` and
    ``Infinity``, which are not JSON, are refused. An object may lack names that are not read, and has no others
    than the first.

    Args:
        path: of the file, or standard input.

    Raises:
        GraphKDError: the file is empty or not UTF-8, or its first line is no object.
    """

    def __init__(self, path: Path | StandardInput) -> None:
        super().__init__(path, header=False)
        if self.first is None:
            raise GraphKDError(f"{path} is empty: give an object per line")
        try:
            row = object_of(self.first)
        except InvalidRowError as error:
            raise GraphKDError(f"{path} line 1 {error}: give an object per line") from None
        self.names = [*row]
        self._known = row.keys()
        self._first_row = row

    def cells(self, lines: list[str], numbers: Sequence[str], key: str | None = None) -> Objects:
        """Parses lines.

        Args:
            lines: one block.
            numbers: names of the numeric columns.
            key: name of the ids, all of which are texts or whole numbers, as the first one is.
        """
        table = np.zeros((len(lines), len(numbers)), dtype=np.float32)

        def put(at: int, row: dict[str, Any]) -> None:
            table[at] = _numbers(row, numbers)

        return Objects(table, *self._parsed(lines, key, put))

    def values(
        self, lines: list[str], names: Sequence[str], key: str | None = None
    ) -> tuple[dict[str, list[Any]], Any, dict[int, str]]:
        """Parses lines whose values may be of any kind; see ``cells``.

        Returns:
            Name → ``[B]`` values, the ids, and line index within the block → why it cannot be read.
        """
        columns: dict[str, list[Any]] = {name: [None] * len(lines) for name in names}

        def put(at: int, row: dict[str, Any]) -> None:
            for name, column in columns.items():
                column[at] = _value(row, name)

        return columns, *self._parsed(lines, key, put)

    def _parsed(
        self, lines: list[str], key: str | None, put: Callable[[int, dict[str, Any]], None]
    ) -> tuple[Any, dict[int, str]]:
        """Calls ``put`` with the index and the object of each line; returns the ids, and the faults by index."""
        kind = str if key is None or type(self._first_row.get(key)) is not int else int
        ids: Any = [""] * len(lines) if kind is str else np.zeros(len(lines), dtype=np.int64)
        faults: dict[int, str] = {}
        for at, line in enumerate(lines):
            try:
                row = object_of(line)
                if key is not None:
                    ids[at] = _id(row, key, kind)
                self._check_names(row)
                put(at, row)
            except InvalidRowError as error:
                faults[at] = str(error)
        return None if key is None else ids, faults

    def _check_names(self, row: dict[str, Any]) -> None:
        if not row.keys() <= self._known:
            more = next(name for name in row if name not in self._known)
            raise InvalidRowError(f"has a name '{_text(more)}', which line 1 does not have")


def object_of(line: str) -> dict[str, Any]:
    """Parses a line.

    Raises:
        InvalidRowError: it is no JSON object, or has a name twice.

    >>> object_of('{"a": 1}')
    {'a': 1}
    """
    try:
        value = json.loads(line, object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise InvalidRowError(f"is no JSON object ({error.msg.lower()} at character {error.pos + 1})") from None
    except InvalidRowError:
        raise
    except ValueError:  # of Python, for whole numbers of thousands of digits
        raise InvalidRowError("holds a number of too many digits") from None
    except RecursionError:
        raise InvalidRowError("is no JSON object of single values, but nests deeply") from None
    if not isinstance(value, dict):
        raise InvalidRowError(f"is no JSON object, but {_shown(value)}")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise InvalidRowError(f"has the name '{_text(name)}' twice")
            seen.add(name)
    return found


def _constant(text: str) -> float:
    raise InvalidRowError(f"holds {text}, which is no JSON number")


def _numbers(row: dict[str, Any], names: Sequence[str]) -> Any:
    try:
        values = [row[name] for name in names]
    except KeyError as error:
        raise InvalidRowError(f"has no '{_text(error.args[0])}'") from None
    if not {type(value) for value in values} <= NUMBERS:
        name, value = next(pair for pair in zip(names, values, strict=True) if type(pair[1]) not in NUMBERS)
        raise InvalidRowError(f"column '{_text(name)}' holds {_shown(value)}")
    with np.errstate(over="ignore"):  # overflows become infinite and are rejected later
        try:
            return np.array(values, dtype=np.float64).astype(np.float32)
        except OverflowError:
            name = next(name for name, value in zip(names, values, strict=True) if abs(value) >= 10**308)
            raise InvalidRowError(
                f"column '{_text(name)}' holds a number too large for single precision"
            ) from None


def _value(row: dict[str, Any], name: str) -> Any:
    if name not in row:
        raise InvalidRowError(f"has no '{_text(name)}'")
    if isinstance(row[name], dict | list):
        raise InvalidRowError(f"column '{_text(name)}' holds {_shown(row[name])}")
    return row[name]


def _id(row: dict[str, Any], key: str, kind: type) -> Any:
    value: Any = row.get(key)
    fits = type(value) is kind
    if not fits or (kind is int and abs(value) >= LONGEST_ID):
        wanted = "text" if kind is str else "whole number below 2^63"
        raise InvalidRowError(f"has {_shown(value)} as its {_text(key)}, and not a {wanted}")
    if kind is str and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidRowError(f"has half a character in its {_text(key)}") from None
    return value


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"'{_text(value)}'"
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return str(value).lower()
    return "a number" if isinstance(value, int) and abs(value) >= 10**40 else str(value)


def _text(value: str) -> str:
    return printable(value[:40])
