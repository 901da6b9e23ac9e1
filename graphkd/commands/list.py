"""``graphkd list``."""

from __future__ import annotations

import importlib

from graphkd.registry import catalogue, source_of


def list_parts(what: str) -> None:
    """Prints the parts of a kind: name, then source."""
    parts = catalogue(importlib.import_module(f"graphkd.{what}"))
    width = max(len(name) for name in parts) + 2
    for name, part in sorted(parts.items()):
        print(f"{name:{width}}{source_of(part)}")
