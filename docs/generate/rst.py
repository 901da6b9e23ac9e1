"""Small pieces of reStructuredText."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence


def title(text: str, mark: str = "=") -> str:
    """Returns a heading."""
    return f"{text}\n{mark * (len(text) + 1)}\n"


def code(language: str, text: str) -> str:
    """Returns a block of code."""
    return f".. code-block:: {language}\n\n{textwrap.indent(text.rstrip(), '   ')}\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], widths: str = "auto") -> str:
    """Returns a table; cells are reStructuredText on one line, and an empty header is none."""
    lines = [".. list-table::", f"   :header-rows: {min(len(header), 1)}", f"   :widths: {widths}", ""]
    for row in filter(None, (header, *rows)):
        lines += [f"   {'* -' if at == 0 else '  -'} {cell}".rstrip() for at, cell in enumerate(row)]
    return "\n".join(lines) + "\n"


def toctree(pages: Iterable[str], depth: int = 1, hidden: bool = False) -> str:
    """Returns a table of contents."""
    options = [".. toctree::", f"   :maxdepth: {depth}", *(["   :hidden:"] if hidden else []), ""]
    return "\n".join([*options, *(f"   {page}" for page in pages)]) + "\n"


def plain(text: str) -> str:
    """Returns text in which no character is markup; ``literals`` stay."""
    parts = text.split("``")
    return "``".join(part.translate(_ESCAPES) if at % 2 == 0 else part for at, part in enumerate(parts))


_ESCAPES = str.maketrans({mark: f"\\{mark}" for mark in "*|_`"})
