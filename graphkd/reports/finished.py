"""Finished runs, as read for a report."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd import methods
from graphkd.atomic_io import as_path
from graphkd.errors import GraphKDError
from graphkd.registry import catalogue
from graphkd.runs import read_config, read_metrics


@dataclass(frozen=True)
class FinishedRun:
    """Contents of a finished run's folder.

    Args:
        path: of the folder, as passed by the user.
        metrics: contents of ``metrics.json``.
        config: contents of ``config.yaml``.
    """

    path: Path
    metrics: dict[str, Any]
    config: dict[str, Any]

    @property
    def facts(self) -> tuple[str, str, str, str, str, str]:
        """Data set, split, setting, metric, and path and checksum of a user's own graph, else empty.

        Scores of runs that differ in one of them are not comparable.
        """
        values = [str(self.metrics[key]) for key in ("dataset", "split", "setting", "metric")]
        data = self.config["dataset"]
        is_custom = data.get("in_memory") or data.get("path")
        custom = [str((data.get(key) if is_custom else None) or "") for key in ("path", "fingerprint")]
        return values[0], values[1], values[2], values[3], custom[0], custom[1]

    @property
    def names(self) -> dict[str, str]:
        """Names of the parts by heading; ``influence`` is empty where it is the method's published one."""
        metrics = self.metrics
        variant = "" if metrics["variant"] == "none" else f" ({metrics['variant']})"
        published = getattr(catalogue(methods).get(metrics["method"]), "influence", "none")
        return {
            "teacher": metrics["teacher"],
            "student": metrics["student"],
            "method": f"{metrics['method']}{variant}",
            "matching": metrics["matching"],
            "transform": metrics.get("transform", ""),
            "calibration": metrics.get("calibration", ""),
            "balance": metrics.get("balance", ""),
            "term": metrics.get("term", ""),
            "influence": "" if metrics["influence"] == published else metrics["influence"],
        }

    @property
    def warning(self) -> str:
        """Recorded caveats about the scores, or an empty string."""
        flags = {
            "influence_of_full_graph": "influence saw hidden nodes",
            "teacher_may_have_seen_hidden": "teacher may have seen hidden nodes",
        }
        return ", ".join(text for flag, text in flags.items() if self.metrics.get(flag))

    def scores(self, part: str, column: str = "test") -> NDArray[np.float64] | None:
        """Returns ``[seeds]`` scores as fractions, or None where they are not recorded for every seed."""
        values = [seed.get(part, {}).get(column) for seed in self.metrics["seeds"]]
        return None if None in values else np.array(values)

    @property
    def by_seed(self) -> dict[tuple[int, int], float]:
        """Test scores of the student by (split seed, run seed); the command line uses one seed for both."""
        split = self.config["dataset"].get("seed")
        return {
            (seed["seed"] if split is None else split, seed["seed"]): seed["student"]["test"]
            for seed in self.metrics["seeds"]
        }


def find_runs(given: Sequence[str]) -> list[FinishedRun]:
    """Finds the runs in folders, in the order passed, without duplicates.

    Args:
        given: run folders, or folders that contain them at any depth; the latter are searched in order of names.

    Raises:
        GraphKDError: a folder without a run, or a run that is not finished or damaged.
    """
    runs: dict[Path, FinishedRun] = {}
    for argument in given:
        folder = as_path(argument, "RUN")
        paths = list(_run_folders(folder, set()))
        if not paths:
            what = "holds no run" if folder.is_dir() else "is no folder"
            raise GraphKDError(f"{folder} {what}: give a run made by graphkd distill, or a folder with such runs")
        for path in paths:
            if path.resolve() not in runs:
                runs[path.resolve()] = FinishedRun(path, read_metrics(path), read_config(path))
    return list(runs.values())


def _run_folders(folder: Path, seen: set[Path]) -> Iterator[Path]:
    if (folder / "config.yaml").is_file():
        yield folder
    elif folder.is_dir() and folder.resolve() not in seen:  # links may be cyclic
        seen.add(folder.resolve())
        # Names that begin with a dot are temporary.
        for name in sorted(name for name in os.listdir(folder) if not name.startswith(".")):
            yield from _run_folders(folder / name, seen)
