"""``graphkd report``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from graphkd.atomic_io import as_path, check_writable, write_bytes
from graphkd.errors import GraphKDError
from graphkd.reports import Group, find_runs, grouped, to_html, to_latex, to_markdown, write_report

FORMATS: dict[str, tuple[str, Callable[[Sequence[Group]], str]]] = {
    "--html": (".html", to_html),
    "--latex": (".tex", to_latex),
}
"""Option → ending of its file, and function of the groups that returns the content."""


def report(runs: Sequence[str], output_dir: str | None, html: str | None = None, latex: str | None = None) -> None:
    """Prints a table over runs as Markdown, and writes it in other forms.

    Args:
        runs: run folders, or folders that contain them.
        output_dir: folder for the table as Markdown, CSV files and a plot, or None.
        html: file for a page with tables, learning curves and metrics of classes, or None.
        latex: file for tables with the rules of booktabs, or None.

    Raises:
        GraphKDError: no run, an unfinished or damaged run, or a file that cannot be written; nothing has been
            written then.
    """
    folder = None if output_dir is None else as_path(output_dir, "--output-dir")
    if folder is not None:
        check_writable(folder, "--output-dir")
    given = {"--html": html, "--latex": latex}
    files = {option: _file(option, name) for option, name in given.items() if name is not None}
    groups = grouped(find_runs(runs))
    contents = {file: FORMATS[option][1](groups).encode("utf-8", "replace") for option, file in files.items()}
    if folder is not None:
        write_report(groups, folder)
    for file, content in contents.items():
        write_bytes(file, content)
    print(to_markdown(groups), end="")
    if folder is not None:
        print(f"\nreport folder: {folder}")
    for file in files.values():
        print(f"written: {file}")


def _file(option: str, name: str) -> Path:
    """Returns the path of an output file, checked before anything is computed."""
    file, (ending, _) = as_path(name, option), FORMATS[option]
    if file.suffix != ending:
        raise GraphKDError(f"{option}={name} does not end in {ending}: give such a file")
    if file.is_dir():
        raise GraphKDError(f"{file} is a folder: choose another file for {option}")
    check_writable(file.parent, option)
    if not file.parent.is_dir():
        raise GraphKDError(f"{file} cannot be written, since its folder is not there: make {file.parent}")
    return file
