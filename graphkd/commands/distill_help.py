"""The text of ``graphkd distill --help``."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Sequence

from graphkd.config import groups, names_in
from graphkd.config_reference import KeyGroup, config_reference, group_summary

USAGE = """\
usage: graphkd distill [-m] [GROUP=NAME] [KEY=VALUE] …

Train a teacher on a graph and distil it into an MLP. -m runs every combination of
comma-separated values. --cfg job prints the config instead of running it. method=krd --help shows
the keys of one choice."""

NARROWEST = 100
"""Columns of a line at least: a narrower terminal wraps it."""


def help_text(overrides: Sequence[str] = ()) -> str:
    """Returns usage, then every group with its names and its keys: name, type, default and meaning.

    Args:
        overrides: such as ``method=krd``; where they choose from groups, the keys of these choices alone.
    """
    pairs = (override.partition("=") for override in overrides)
    chosen = {group: choice for group, sign, choice in pairs if sign and group in groups()}
    width = max(NARROWEST, shutil.get_terminal_size((120, 0)).columns)
    reference = config_reference()
    longest = max(len(key.name) for section in reference for key in section.keys)
    lines = [USAGE, "", *_section(reference[0], longest, width)]
    for group in chosen or groups():
        lines += ["", *_heading(group, width)]
        for section in reference:
            if section.group == group and section.choice in ("", chosen.get(group, section.choice)):
                lines += _section(section, longest, width)
    return "\n".join(lines)


def _heading(group: str, width: int) -> list[str]:
    names = textwrap.wrap(
        f"{group}={' | '.join(names_in(group))}", width, subsequent_indent="  ", break_on_hyphens=False
    )
    return [
        *names,
        *textwrap.wrap(plain_text(group_summary(group)), width - 2, initial_indent="  ", subsequent_indent="  "),
    ]


def _section(section: KeyGroup, longest: int, width: int) -> list[str]:
    """Returns a title and a line per key."""
    title = f"  {section.title}:" if section.choice else "  every choice:" if section.group else "keys:"
    return [title, *(line for row in _rows(section) for line in _lines(*row, longest, width))]


def _rows(section: KeyGroup) -> list[tuple[str, str, str, str]]:
    return [(key.name, key.type, key.default, plain_text(key.meaning)) for key in section.keys]


def _lines(name: str, kind: str, default: str, meaning: str, longest: int, width: int) -> list[str]:
    start = f"    {name:{longest}}  {kind:<15} {default:<16} "
    first, *more = textwrap.wrap(meaning, max(20, width - len(start))) or [""]
    return [start + first, *(" " * len(start) + line for line in more)]


def plain_text(text: str) -> str:
    """Returns a docstring's text without the marks of reStructuredText.

    >>> plain_text("``mean`` or ``max``, see :doc:`files`")
    'mean or max, see files'
    """
    return re.sub(r"``(.*?)``|:\w+:`(.*?)`", lambda found: found[1] or found[2], text)
