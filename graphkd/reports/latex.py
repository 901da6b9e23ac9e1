"""The report as LaTeX tables with the rules of booktabs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from graphkd.reports.groups import Group
from graphkd.reports.score_table import NOTE, ScoreTable, one_line

ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "[": "{[}", "]": "{]}", "±": r"$\pm$", "−": "$-$", "→": r"$\to$", "·": r"$\cdot$",
}  # fmt: skip
"""Characters with a meaning of their own, or that a font may lack; ``[`` after a row's end is an argument."""

HEAD = "% Needs \\usepackage{booktabs} in the preamble.\n"


def to_latex(groups: Sequence[Group]) -> str:
    r"""Formats a ``table`` per group, with the columns of the Markdown report, and a note as comments.

    >>> escaped("a_b & 50 %")
    'a\\_b \\& 50 \\%'
    """
    note = "".join(f"% {line}\n" for line in NOTE.splitlines())
    return "\n".join([HEAD, *map(_table, groups), note])


def escaped(text: str) -> str:
    """Escapes characters that LaTeX would not print as they are."""
    return "".join(ESCAPES.get(character, character) for character in one_line(text))


def _table(group: Group) -> str:
    table = ScoreTable.of(group)
    columns = "".join("r" if numeric else "l" for numeric in table.numeric)
    rows = [
        [_number(cell) if numeric else escaped(cell) for cell, numeric in zip(row, table.numeric, strict=True)]
        for row in table.rows
    ]
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escaped(group.title)}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _line(map(escaped, table.headings)),
        r"\midrule",
        *map(_line, rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _line(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _number(cell: str) -> str:
    """Escapes a cell of numbers, whose hyphens are minus signs."""
    return re.sub(r"-(?=\d)", "$-$", escaped(cell))
