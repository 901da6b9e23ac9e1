"""Lookup of parts by name over ``__all__``: a part is selectable once its package exports it."""

from __future__ import annotations

import difflib
import inspect
import re
from types import ModuleType
from typing import Any

from graphkd.errors import GraphKDError
from graphkd.plugins import installed_parts


def catalogue(package: ModuleType) -> dict[str, Any]:
    """Returns the selectable parts of a package by name: its own, as in ``__all__``, then installed ones.

    A part is selectable when it is a public function, or has a string attribute ``name``; abstract
    bases and result types have none. Other installed packages add parts by entry points, see ``graphkd.plugins``.

    Args:
        package: one of ``datasets``, ``teachers``, ``students``, ``methods``, ``matching``,
            ``influence``.

    Returns:
        name → part.
    """
    parts: dict[str, Any] = {}
    for exported in package.__all__:
        part = getattr(package, exported)
        name = part.__name__ if inspect.isfunction(part) else getattr(part, "name", None)
        if isinstance(name, str) and name:
            parts[name] = part
    for name, part in installed_parts(package.__name__).items():
        if name in parts:
            raise GraphKDError(f"an installed package offers '{name}', as {package.__name__} does: uninstall it")
        parts[name] = part
    return parts


def lookup(package: ModuleType, name: str) -> Any:
    """Returns the part called ``name``.

    Raises:
        GraphKDError: there is no such part; the message lists those that exist.
    """
    parts = catalogue(package)
    if not isinstance(name, str) or name not in parts:
        kind = package.__name__.rpartition(".")[2]
        raise GraphKDError(unknown(kind.removesuffix("s"), name, list(parts)))
    return parts[name]


def unknown(kind: str, name: object, known: list[str]) -> str:
    """Returns the error message for an unknown name: the closest match first, then all that exist."""
    letters = sorted(str(name).lower())
    near = [each for each in known if sorted(each) == letters]  # two letters have changed places
    near = near or difflib.get_close_matches(str(name).lower(), known, n=1)
    hint = f"did you mean '{near[0]}'? " if near else ""
    inside = [each for each in known if "/" in each and str(name) and each.startswith(str(name))]
    return f"unknown {kind} '{name}': {hint}choose one of {', '.join(inside or known)}"


def parameters_of(part: Any) -> dict[str, inspect.Parameter]:
    """Returns the settings that a user may choose for a part: the arguments that have a default.

    ``num_features`` and ``num_classes`` come from the data, ``hidden_dims`` from a method that builds its student:
    they are left out.
    """
    return {
        name: parameter
        for name, parameter in inspect.signature(part).parameters.items()
        if parameter.default is not parameter.empty and name not in ("num_classes", "hidden_dims")
    }


def source_of(part: Any) -> str:
    """Returns the paper behind a part: its ``paper``, or what follows ``Source:`` in its docstring."""
    if hasattr(part, "paper"):
        return str(part.paper)
    lines = re.search(r"^ *Source: (.+(?:\n *[^\s:]+ .+)*)", inspect.getdoc(part) or "", re.MULTILINE)
    return " ".join(lines.group(1).split()) if lines else ""
