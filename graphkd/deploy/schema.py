"""Schemas of JSON files: every field is checked once, when it is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from graphkd.checks import is_whole
from graphkd.errors import GraphKDError

Check = Callable[[Any], bool]

MOST = 2**31 - 1
"""Largest allowed value of a size."""


def size(least: int, most: int = MOST) -> Check:
    """Returns a check for whole numbers from ``least`` to ``most``."""
    return lambda value: is_whole(value) and least <= value <= most


def one_of(*known: str) -> Check:
    """Returns a check for one of these strings."""
    return lambda value: isinstance(value, str) and value in known


def boolean(value: Any) -> bool:
    """Returns whether a value is true or false."""
    return isinstance(value, bool)


def identifier(value: Any) -> bool:
    """Returns whether a value is a name of at most 80 letters, digits and underscores."""
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,79}", value) is not None


def digest(value: Any) -> bool:
    """Returns whether a value is a hexadecimal SHA-256."""
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def mapping(value: Any) -> bool:
    """Returns whether a value is a JSON object."""
    return isinstance(value, dict)


def distinct(value: Any) -> bool:
    """Returns whether a value is a non-empty list of distinct strings."""
    texts = isinstance(value, list) and all(isinstance(name, str) for name in value)
    return texts and len(set(value)) == len(value) > 0


def class_names(value: Any) -> bool:
    """Returns whether a value is null, or a list of class names."""
    return value is None or (isinstance(value, list) and all(isinstance(name, bool | int | str) for name in value))


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def sizes(value: Any) -> bool:
    """Returns whether a value is a list of sizes, from 1."""
    return isinstance(value, list) and all(map(size(1), value))


def arguments(value: Any) -> bool:
    """Returns whether a value is an object of plain values and lists of sizes."""
    return isinstance(value, dict) and all(_plain(part) or sizes(part) for part in value.values())


def _file(value: Any) -> bool:
    """Returns whether a string is a relative path inside the folder, valid on every operating system."""
    return not {"", ".", ".."} & set(value.split("/")) and not re.search(r"[\\:\0]", value)


def _export(value: Any) -> bool:
    files = value.get("files") if isinstance(value, dict) else None
    listed = isinstance(files, dict) and all(_file(name) and digest(value) for name, value in files.items())
    return listed and isinstance(value.get("parity"), dict)


def exports(value: Any) -> bool:
    """Returns whether a value is an object of exports: format → ``files`` and ``parity``."""
    return isinstance(value, dict) and all(_export(record) for record in value.values())


class Schema:
    """Fields of a JSON object and the checks of their values.

    Args:
        fields: field → check; ``a.b`` is field ``b`` of the object ``a``. A field that ends in a question mark is
            optional. Others are refused.
        what: what the object describes, for the error message.
        again: the action to repeat, for the error message.
    """

    def __init__(
        self, fields: Mapping[str, Check], what: str = "a student", again: str = "export the bundle"
    ) -> None:
        self.fields, self.what, self.again = fields, what, again
        self._objects = {name.partition(".")[0] for name in fields if "." in name}
        self._checks = {name.rstrip("?"): (check, name.endswith("?")) for name, check in fields.items()}

    def accepts(self, content: Mapping[str, Any]) -> bool:
        """Returns whether all fields of an object are valid."""
        try:
            self.check(content, Path())
        except GraphKDError:
            return False
        return True

    def check(self, content: Mapping[str, Any], file: Path) -> None:
        """Checks the fields of an object and their values.

        Args:
            content: the parsed object.
            file: path, for the error message.

        Raises:
            GraphKDError: a field is unknown, missing or invalid; the message names the first one.
        """
        flat = self._flat(content)
        if unknown := flat.keys() - self._checks.keys():
            first = next(name for name in flat if name in unknown)
            raise self.fault(file, f"it has a field {first[:80]!r}, which is not known")
        for name, (check, optional) in self._checks.items():
            if name not in flat:
                if not optional:
                    raise self.fault(file, f"{name} is missing")
            elif not check(flat[name]):
                raise self.fault(file, f"{name} is {repr(flat[name])[:80]}")

    def fault(self, file: Path, reason: str) -> GraphKDError:
        """Returns the error that a file is not what it has to be."""
        reason = " ".join(reason.split())
        return GraphKDError(f"{file} does not describe {self.what}: {reason}; {self.again} again")

    def _flat(self, content: Mapping[str, Any]) -> dict[str, Any]:
        flat: dict[str, Any] = {}
        for name, value in content.items():
            if name in self._objects and isinstance(value, dict):
                flat |= {f"{name}.{inner}": part for inner, part in value.items()}
            else:
                flat[name] = value
        return flat
