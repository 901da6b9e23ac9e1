"""``graphkd list``."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from graphkd.registry import catalogue, source_of

LEGEND = (
    "columns: name, whether a teacher is needed, what the student reads when it answers, whether a step of "
    "training reads edges, multiply-adds of the loss in a step, source. N nodes, E edges, C classes, d hidden "
    "units, D features, K members, M codes; of links P pairs, A anchors, S nodes around each."
)
"""On the standard error, so that the output has one line per method."""


OF_LINKS = {"teachers": "heuristic_teachers", "methods": "llp", "decoders": "decoders"}
"""Modules of ``graphkd.links`` with the parts of a kind that runs of links have."""


def list_parts(what: str) -> None:
    """Prints the parts of a kind as columns: name, what it needs where that differs, source."""
    parts = {} if what == "decoders" else catalogue(importlib.import_module(f"graphkd.{what}"))
    if what in OF_LINKS:
        parts |= catalogue(importlib.import_module(f"graphkd.links.{OF_LINKS[what]}"))
    rows = [_row(name, part) for name, part in sorted(parts.items())]
    widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
    for row in rows:
        print("".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
    if what == "methods":
        print(LEGEND, file=sys.stderr)


def _row(name: str, part: Any) -> tuple[str, ...]:
    facts = part().facts() if hasattr(part, "facts") else ()
    return name, *facts, source_of(part)
