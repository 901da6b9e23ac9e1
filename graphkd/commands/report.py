"""``graphkd report``."""

from __future__ import annotations

from collections.abc import Sequence

from graphkd.atomic_io import as_path, check_writable
from graphkd.plots import check_plot
from graphkd.reports import find_runs, grouped, to_markdown, write_report


def report(runs: Sequence[str], output_dir: str | None) -> None:
    """Prints a table over runs as Markdown; with a folder also writes it there, with CSV files and a plot.

    Args:
        runs: run folders, or folders that contain them.
        output_dir: folder of the files, or None.

    Raises:
        GraphKDError: no run, an unfinished or damaged run, or no matplotlib; nothing has been written then.
    """
    folder = None if output_dir is None else as_path(output_dir, "--output-dir")
    if folder is not None:
        check_writable(folder, "--output-dir")
        check_plot()
    groups = grouped(find_runs(runs))
    if folder is not None:
        write_report(groups, folder)
    print(to_markdown(groups), end="")
    if folder is not None:
        print(f"\nreport folder: {folder}")
