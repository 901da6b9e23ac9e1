"""The table that a run ends with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


def print_table(metrics: dict[str, Any], path: Path) -> None:
    """Teacher, plain MLP and student side by side, in percent, and where the run is."""
    print("\n".join(format_table(metrics)))
    print(f"run folder: {path}")


def format_table(metrics: dict[str, Any]) -> list[str]:
    """The lines of the table.

    Args:
        metrics: contents of ``metrics.json``.

    Returns:
        A heading, a line of column names and a line per model: mean ± population standard deviation.
    """
    seeds = metrics["seeds"]
    count = f"{len(seeds)} seed{'s' if len(seeds) > 1 else ''}"
    facts = (metrics["dataset"], f"{metrics['split']} split", metrics["setting"], metrics["metric"], count)
    method = metrics["method"] if metrics["matching"] == "none" else f"{metrics['method']} + {metrics['matching']}"
    rows = [("teacher", metrics["teacher"], "teacher"), ("mlp", "plainly trained", "mlp")]
    rows = [row for row in rows if row[2] in seeds[0]] + [("student", method, "student")]
    width = max(len(row[1]) for row in rows) + 2
    lines = [" · ".join(facts), f"{'':9}{'':{width}}{'val %':>14}{'test %':>16}"]
    for role, name, part in rows:
        val, test = (_percent([seed[part][column] for seed in seeds]) for column in ("val", "test"))
        lines.append(f"{role:9}{name:{width}}{val:>14}{test:>16}")
    return lines


def _percent(values: list[float]) -> str:
    mean = f"{100 * np.mean(values):.2f}"
    return mean if len(values) == 1 else f"{mean} ± {100 * np.std(values):.2f}"
