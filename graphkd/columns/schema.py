"""Checks of a fitted encoding in JSON, which may come from an untrusted file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, NoReturn

from graphkd.checks import is_count
from graphkd.columns.fit import DROPPED, MOST_CATEGORIES, NUMERIC
from graphkd.columns.infer import LONGEST
from graphkd.columns.kinds import KINDS, UNKNOWN, Column
from graphkd.errors import GraphKDError

MOST_COLUMNS = 1_000_000
"""Columns, at most. Features are not more than names in the file."""

VERSION = 1

Check = Callable[[Any], bool]


def _text(value: Any) -> bool:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST:
        return False
    return value.isascii() or not any("\ud800" <= each <= "\udfff" for each in value)  # no UTF-8 holds surrogates


def _texts(value: Any) -> bool:
    listed = isinstance(value, list) and all(_text(text) for text in value)
    return listed and len(set(value)) == len(value)


def _finite(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _boolean(value: Any) -> bool:
    return isinstance(value, bool)


def _categories(value: Any) -> bool:
    return _texts(value) and len(value) <= MOST_CATEGORIES and UNKNOWN not in value


def _listed(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= MOST_COLUMNS


def _dropped(value: Any) -> bool:
    return _listed(value) and all(
        isinstance(pair, list) and len(pair) == 2 and _text(pair[0]) and pair[1] in DROPPED for pair in value
    )


FIELDS: dict[str, Check] = {
    "version": lambda value: is_count(value) and value == VERSION,
    "numeric": lambda value: isinstance(value, str) and value in NUMERIC,
    "rows": is_count,
    "columns": _listed,
    "untouched": lambda value: _listed(value) and _texts(value),
    "dropped": _dropped,
}

_SCALED: dict[str, Check] = {
    "fill": _finite,
    "shift": _finite,
    "scale": lambda value: _finite(value) and value > 0,
    "indicator": _boolean,
}

_COLUMN: dict[str, Check] = {"kind": lambda value: True, "name": _text, "missing": is_count}

COLUMN_FIELDS: dict[str, dict[str, Check]] = {
    "number": {**_COLUMN, **_SCALED, "whole": _boolean},
    "date": {**_COLUMN, **_SCALED, "year": _boolean, "day": _boolean},
    "category": {**_COLUMN, "values": _categories},
    "boolean": _COLUMN,
    "presence": _COLUMN,
}


def fields_of(value: Any) -> dict[str, Any]:
    """Checks an encoding in JSON and returns its fields, ``columns`` as encodings.

    Raises:
        GraphKDError: a field is missing, unknown or invalid; the message names it.
    """
    fields = dict(_checked(value, FIELDS, "it"))
    fields["columns"] = [_column(part, at) for at, part in enumerate(fields["columns"])]
    return fields


def column_json(column: Column) -> dict[str, Any]:
    """Returns a column's encoding as plain JSON."""
    content = {"kind": column.kind, **asdict(column)}
    return {**content, "values": list(content["values"])} if "values" in content else content


def _column(value: Any, at: int) -> Column:
    where = f"columns[{at}]"
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        _refuse(f"{where} has the kind {kind!r}")
    fields = {name: part for name, part in _checked(value, COLUMN_FIELDS[kind], where).items() if name != "kind"}
    if "values" in fields:
        fields["values"] = tuple(fields["values"])
    return KINDS[kind](**fields)


def _checked(value: Any, fields: Mapping[str, Check], where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        _refuse(f"{where} is a {type(value).__name__}, not an object")
    if value.keys() != fields.keys():
        name = next(iter(sorted(map(str, value.keys() ^ fields.keys()))))
        _refuse(f"{where} {'lacks' if name in fields else 'has an unknown'} field {name[:80]!r}")
    for name, check in fields.items():
        if not check(value[name]):
            _refuse(f"{where}.{name} is {repr(value[name])[:80]}".removeprefix("it."))
    return value


def _refuse(reason: str) -> NoReturn:
    raise GraphKDError(f"the encoding of columns is damaged: {reason}; export the bundle again")
