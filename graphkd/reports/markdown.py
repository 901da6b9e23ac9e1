"""The report as Markdown with aligned columns."""

from __future__ import annotations

from collections.abc import Sequence

from graphkd.reports.groups import Group
from graphkd.reports.score_table import NOTE, ScoreTable, one_line


def to_markdown(groups: Sequence[Group]) -> str:
    """Formats a heading and a table per group, and a note on the figures."""
    tables = [
        f"## {_plain(group.title)}\n\n" + "\n".join([*_table(group), *_settings(group)]) + "\n" for group in groups
    ]
    return "\n".join([*tables, NOTE])


def _settings(group: Group) -> list[str]:
    """Returns lines that name the settings in which runs differ, since differences mix their effects."""
    keys = ", ".join(_plain(key) for key in group.differing)
    return ["", f"Runs of this table differ in {keys}, beside the named parts."] if keys else []


def _table(group: Group) -> list[str]:
    """Returns lines of equal length."""
    table = ScoreTable.of(group)
    lines = [list(map(_plain, cells)) for cells in (table.headings, *table.rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = [
        " | ".join(
            cell.rjust(width) if numeric else cell.ljust(width)
            for cell, width, numeric in zip(line, widths, table.numeric, strict=True)
        )
        for line in lines
    ]
    rule = "|".join(
        "-" * (width + 1) + (":" if numeric else "-") for width, numeric in zip(widths, table.numeric, strict=True)
    )
    return [f"| {text[0]} |", f"|{rule}|", *(f"| {line} |" for line in text[1:])]


def _plain(text: str) -> str:
    """Escapes characters of user-defined names that would end a cell or a line."""
    return one_line(text).replace("|", r"\|")
