"""The tables of a study's README, between two marks, from the committed rows beside it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

MARKS = "<!-- tables -->", "<!-- end of tables -->"


def with_tables(readme: Path, tables: str) -> str:
    """Returns the text of a README with other tables between the marks."""
    before, rest = readme.read_text().split(MARKS[0])
    return f"{before}{MARKS[0]}\n\n{tables}\n\n{MARKS[1]}{rest.split(MARKS[1])[1]}"


def rewrite(folder: Path, tables: Callable[[], str], arguments: list[str] | None = None) -> None:
    """Rewrites the tables of a study's README; with ``--check`` only fails if they differ.

    Args:
        folder: of the study.
        tables: makes them from the committed rows.
        arguments: of the command; by default its own.
    """
    parser = argparse.ArgumentParser(description="Rewrites the tables of README.md from the committed rows.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if README.md has other tables")
    readme, check = folder / "README.md", parser.parse_args(arguments).check
    text = with_tables(readme, tables())
    if check and text != readme.read_text():
        raise SystemExit(
            f"{readme} is not what the committed rows give: python experiments/{folder.name}/tables.py"
        )
    if not check:
        readme.write_text(text)
