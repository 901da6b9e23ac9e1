"""``graphkd tune``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from graphkd.errors import GraphKDError
from graphkd.evaluation.figures import heading_of, score_text, signed
from graphkd.runs.table import format_table
from graphkd.system import usable_cpus
from graphkd.tuning import Tuned, tune
from graphkd.tuning.space import METHODS, OTHER_TASKS, READS
from graphkd.tuning.tuned import PLAIN, SUMMARY, TRIALS, WINNER

MOST_WORKERS = 8
"""Worker processes by default, at most: each holds the data."""

SHOWN = 8
"""Candidates in the printed table."""

DESCRIPTION = """\
Searches the best student of a graph by validation scores, then trains it on new seeds and reads test scores for
the first time. Plain MLPs are always among the candidates. A KEY=VALUE of graphkd distill stays as it is given.
The same command goes on where it was stopped."""


def run_tune(args: list[str]) -> None:
    """Searches, prints the best candidates, the winner's run and the command that trains it again.

    Args:
        args: the data set, ``KEY=VALUE`` as of ``graphkd distill``, and flags.

    Raises:
        GraphKDError: an invalid argument, unavailable data, a limit that no student keeps, or no Optuna.
    """
    given = tune_parser().parse_intermixed_args(args)
    for word in given.settings:
        if "=" not in word and not word.startswith("~"):
            raise GraphKDError(f"{word} is no KEY=VALUE: graphkd tune DATASET [--minutes N] [KEY=VALUE …]")
    clusters = [each for each in given.settings if each.startswith("cluster=") and each != "cluster=none"]
    if clusters and given.workers is not None:
        raise GraphKDError("--workers is of this machine, and cluster=ray has its own: give cluster.workers=N")
    folder = Path(given.output_dir or Path("runs") / f"tune-{given.dataset}-{given.reads}")
    tuned = tune(
        given.dataset,
        minutes=given.minutes,
        trials=given.trials,
        reads=given.reads,
        methods=given.methods.split(",") if given.methods else None,
        max_us=given.max_us,
        max_kb=given.max_kb,
        workers=_default_workers(given.settings) if given.workers is None else given.workers,
        seeds=given.seeds,
        seed=given.seed,
        output_dir=folder,
        overrides=given.settings,
        tell=lambda line: print(f"graphkd: {line}", file=sys.stderr, flush=True),
    )
    print("\n".join(report_of(tuned)))


def report_of(tuned: Tuned) -> list[str]:
    """Returns the lines that are printed: the best candidates, the runs on new seeds, where everything is.

    Args:
        tuned: a finished search.
    """
    lines = [
        f"{tuned.summary['tried']} students tried in {tuned.summary['seconds']:.0f} s; the best by validation:"
    ]
    lines += _candidates(tuned)
    names = {WINNER: "the chosen student", PLAIN: "the best plain MLP"}
    for name, what in names.items():
        same = name == PLAIN and tuned.summary["mean"][WINNER] == tuned.summary["mean"].get(PLAIN)
        if name in tuned.summary["mean"] and not same:
            run = tuned.winner if name == WINNER else tuned.plain_mlp
            lines += ["", f"{what}, on new seeds:", *format_table(run.metrics)]
    lines += ["", *_failures(tuned), f"again: {tuned.command}", f"run folder: {tuned.path / WINNER}"]
    return [*lines, f"all candidates: {tuned.path / TRIALS}; summary: {tuned.path / SUMMARY}"]


def _failures(tuned: Tuned) -> list[str]:
    """Returns a line for each method of which no candidate could be trained."""
    lines = []
    for method, rows in tuned.trials.groupby("method"):
        errors = rows["error"].dropna()
        if (rows["seeds"] == 0).all() and len(errors):
            lines.append(f"warning: no student of {method} could be trained: {errors.iloc[0]}")
    return lines


def _candidates(tuned: Tuned) -> list[str]:
    """Returns a table of the best candidates; the settings of each are in the file."""
    metric = tuned.summary.get("metric", "accuracy")
    score = heading_of(f"val {metric}", metric)
    rows = [("method", "reads", score, "over plain MLP", "seeds", "µs", "kB")]
    for row in tuned.trials[tuned.trials.seeds > 0].head(SHOWN).itertuples():
        scores = score_text([row.val], metric), signed(row.gain, metric)
        found = (*scores, row.seeds, f"{row.microseconds:.0f}", f"{row.kilobytes:.0f}")
        rows.append((row.method, row.reads, *map(str, found)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _default_workers(settings: list[str]) -> int:
    """Returns a process per CPU; one where a GPU trains."""
    device = next((each.partition("=")[2] for each in settings if each.startswith("device=")), "auto")
    if device == "cpu":
        return min(MOST_WORKERS, usable_cpus())
    import torch

    return 1 if torch.cuda.is_available() else min(MOST_WORKERS, usable_cpus())


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise GraphKDError(f"{message}: see graphkd tune --help")


def tune_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command's arguments."""
    parser = _Parser(prog="graphkd tune", description=DESCRIPTION)
    parser.add_argument("dataset", metavar="DATASET", help="a name, see graphkd list datasets")
    parser.add_argument("settings", metavar="KEY=VALUE", nargs="*", help="of graphkd distill; kept as given")
    parser.add_argument(
        "--minutes", type=float, metavar="N", default=10.0, help="for search and last runs together; 10 by default"
    )
    parser.add_argument("--trials", type=int, metavar="N", help="students to try at most; by default no bound")
    parser.add_argument(
        "--reads", choices=READS, default="x", help="what the student may read when it answers; x by default"
    )
    names = f"{','.join(METHODS)} by default, of labels and numbers {','.join(OTHER_TASKS)}"
    parser.add_argument("--methods", metavar="A,B", help=f"beside the plain MLP; {names}")
    parser.add_argument(
        "--max-us", type=float, metavar="N", help="most microseconds of a prediction for one row (numpy)"
    )
    parser.add_argument("--max-kb", type=float, metavar="N", help="most kilobytes of the student's weights")
    parser.add_argument("--workers", type=int, metavar="N", help="processes; by default one per CPU, at most 8")
    parser.add_argument(
        "--seeds", type=int, metavar="N", default=5, help="new ones, of the last runs; 5 by default"
    )
    parser.add_argument("--seed", type=int, metavar="N", default=0, help="of the search; 0 by default")
    parser.add_argument("--output-dir", metavar="DIR", help="by default runs/tune-DATASET-READS")
    return parser
