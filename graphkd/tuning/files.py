"""What a search leaves in its folder beside the runs: a table, a summary, pictures."""

from __future__ import annotations

import functools
import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graphkd.atomic_io import write_bytes, write_json, write_text
from graphkd.evaluation.figures import factor_of
from graphkd.plots import drawable
from graphkd.reports.sheets import csv_text
from graphkd.tuning.candidate import Candidate
from graphkd.tuning.limits import Cost, Shape
from graphkd.tuning.plots import draw_importances, draw_pareto
from graphkd.tuning.problem import Problem
from graphkd.tuning.records import SCHEMA_VERSION
from graphkd.tuning.search import CONFIRM, RUNGS, Search
from graphkd.tuning.tuned import SUMMARY, TRIALS


def write_files(
    folder: Path,
    problem: Problem,
    search: Search,
    winner: Candidate,
    metrics: dict[str, Any],
    seeds: Sequence[int],
    measured: dict[Shape, Cost],
) -> None:
    """Writes ``trials.csv``, ``tune.json`` and, with matplotlib, ``pareto.png`` and ``importance.png``.

    Args:
        folder: of the search.
        problem: data and shared settings.
        search: that is over.
        winner: its choice.
        metrics: of the last runs, by name.
        seeds: of the last runs.
        measured: cost of each shape.
    """
    rows = rows_of(problem, search, measured)
    write_text(folder / TRIALS, csv_text(rows))
    summary = {
        "schema_version": SCHEMA_VERSION,
        "winner": {"number": winner.number, "overrides": list(winner.overrides)},
        "command": command_of(problem, winner, seeds),
        "metric": search.space.metric,
        "seeds": list(seeds),
        "given": list(problem.overrides),
        "teachers": search.records.facts.get("teachers", []),
        "finalists": search.records.facts["finalists"],
        "tried": len(rows),
        "seconds": round(search.budget.elapsed, 1),
        "search_seeds": [seed for seeds in (*RUNGS, CONFIRM) for seed in seeds],
        "mean": {name: each["mean"] for name, each in metrics.items()},
    }
    write_json(folder / SUMMARY, summary)
    pictures = {
        "pareto.png": functools.partial(draw_pareto, rows, winner.number, search.space.metric),
        "importance.png": functools.partial(draw_importances, search.samplers["student"].importances()),
    }
    for name, content in drawable(pictures).items():
        write_bytes(folder / name, content)


def rows_of(problem: Problem, search: Search, measured: dict[Shape, Cost]) -> list[dict[str, Any]]:
    """Returns a row per student that was tried, the best first; those on more seeds before the others."""
    encoders = {candidate.encoder for candidate in search.students}
    reads = {encoder: problem.spec(encoder).inputs.reads for encoder in encoders}
    rows = [_row(search, candidate, reads[candidate.encoder], measured) for candidate in search.students]
    return sorted(rows, key=lambda row: (row["seeds"] > 1, -math.inf if row["gain"] is None else row["gain"]))[
        ::-1
    ]


def command_of(problem: Problem, winner: Candidate, seeds: Sequence[int]) -> str | None:
    """Returns the command that trains a candidate on seeds again; None for data in memory."""
    if problem.data is not None:
        return None
    every = [*problem.overrides, *winner.overrides, f"seeds=[{','.join(map(str, seeds))}]"]
    return shlex.join(["graphkd", "distill", *every])


def _row(search: Search, candidate: Candidate, reads: str, measured: dict[Shape, Cost]) -> dict[str, Any]:
    settings = dict(override.split("=", 1) for override in candidate.overrides)
    results = search.scores.results(candidate.number)
    values = [result.val for result in results if result.val is not None]
    gain = search.gain(candidate)
    digits = functools.partial(_rounded, metric=search.space.metric)
    shape = int(settings["student.num_layers"]), int(settings["student.hidden_dim"])
    return {
        "number": candidate.number,
        "kind": candidate.kind,
        "method": settings["method"],
        "reads": reads,
        "seeds": len(values),
        "val": digits(sum(values) / len(values)) if values else None,
        "gain": None if math.isinf(gain) else digits(gain),
        "kilobytes": round(measured[shape].kilobytes, 1),
        "microseconds": round(measured[shape].microseconds, 1),
        "seconds": round(sum(result.seconds for result in results), 1),
        "settings": " ".join(candidate.overrides),
        "error": next((result.error for result in results if result.error), ""),
    }


def _rounded(value: float, metric: str) -> float:
    """Returns five decimals, or of an error, whose unit may be small, five digits."""
    return round(value, 5) if factor_of(metric) == 100 else float(f"{value:.5g}")
