"""Reads Google-style docstrings: what an argument means is written once, beside the code that takes it."""

from __future__ import annotations

import inspect
import re
from typing import Any

_SECTION = re.compile(r"^Args:\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
_ENTRY = re.compile(r"^ {4}(\w+): (.*(?:\n(?: {5,}.*|(?=\n)))*)", re.MULTILINE)


def summary_of(part: Any) -> str:
    """Returns the first paragraph of a docstring, on one line.

    Args:
        part: a class, function or module; without a docstring, an empty string is returned.
    """
    return " ".join((inspect.getdoc(part) or "").split("\n\n")[0].split())


def arguments_of(part: Any) -> dict[str, str]:
    """Returns the meaning of every argument that a docstring's ``Args`` describe, each on one line.

    A class inherits those of its bases, as it inherits the arguments.

    Args:
        part: a class or function.

    Returns:
        argument → meaning.
    """
    documented = reversed(part.__mro__) if inspect.isclass(part) else (part,)
    meanings: dict[str, str] = {}
    for each in documented:
        section = _SECTION.search(inspect.cleandoc(each.__doc__ or ""))
        if section is not None:
            meanings |= {name: " ".join(text.split()) for name, text in _ENTRY.findall(section[1])}
    return meanings
