"""The files of a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from graphkd.atomic_io import write_bytes
from graphkd.plots import drawable
from graphkd.reports.groups import Group
from graphkd.reports.markdown import to_markdown
from graphkd.reports.plot import draw
from graphkd.reports.sheets import seeds_csv, to_csv


def write_report(groups: Sequence[Group], folder: Path) -> None:
    """Writes ``report.md``, ``report.csv``, ``report_seeds.csv`` and ``report.png``, each atomically.

    All are computed before the first is written. Without matplotlib there is no plot, and a line names it.

    Args:
        groups: at least one.
        folder: created if missing; reports in it are replaced.
    """
    files = {
        "report.md": to_markdown(groups).encode(),
        "report.csv": to_csv(groups).encode(),
        "report_seeds.csv": seeds_csv(groups).encode(),
        **drawable({"report.png": lambda: draw(groups)}),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        write_bytes(folder / name, content)
