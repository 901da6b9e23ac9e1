"""The files of ``graphkd evaluate --output``: CSV files and plots."""

from __future__ import annotations

import csv
import functools
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from graphkd.atomic_io import write_bytes
from graphkd.commands.evaluate_plots import confusion_png, reliability_png
from graphkd.plots import drawable
from graphkd.runs import Evaluation


def write_evaluation(folder: Path, evaluation: Evaluation, seeds: Sequence[int]) -> None:
    """Writes an evaluation; all files are computed before the first is written.

    ``scores.csv`` has a line per seed, ``classes.csv`` one per class, ``confusion.csv`` one per class with a
    column per prediction, ``reliability.csv`` one per bin of confidence; ``confusion.png`` and ``reliability.png``
    show the last two, where matplotlib is installed. Scores are fractions. Of labels or numbers there are the
    first two, with a line per label or target.

    Args:
        folder: created if missing; files of an earlier evaluation are replaced.
        evaluation: of all seeds together.
        seeds: of the scores.
    """
    files = {
        "scores.csv": _scores(evaluation, seeds),
        "classes.csv": _written(evaluation.classes[0], (row.values() for row in evaluation.classes)),
    }
    if evaluation.confusion is not None:
        files |= {"confusion.csv": _confusion(evaluation), "reliability.csv": _reliability(evaluation)}
        plots = {"confusion.png": confusion_png, "reliability.png": reliability_png}
        files |= drawable({name: functools.partial(plot, evaluation) for name, plot in plots.items()})
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        write_bytes(folder / name, content)


def _scores(evaluation: Evaluation, seeds: Sequence[int]) -> bytes:
    rows = ([seed, *scores.values()] for seed, scores in zip(seeds, evaluation.scores, strict=True))
    return _written(["seed", *evaluation.scores[0]], rows)


def _confusion(evaluation: Evaluation) -> bytes:
    assert evaluation.confusion is not None
    names, counts = evaluation.class_names, evaluation.confusion.counts.tolist()
    return _written(["class", *names], ([name, *row] for name, row in zip(names, counts, strict=True)))


def _reliability(evaluation: Evaluation) -> bytes:
    assert evaluation.reliability is not None
    found, bins = evaluation.reliability, len(evaluation.reliability.count)
    columns = (found.count.astype(int), found.confidence, found.accuracy)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return _written(
        ["above", "up_to", "nodes", "confidence", "accuracy"],
        ([b / bins, (b + 1) / bins, *map(_number, row)] for b, row in enumerate(rows)),
    )


def _number(value: float) -> float | str:
    return "" if math.isnan(value) else value


def _written(head: Iterable[Any], rows: Iterable[Iterable[Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return out.getvalue().encode()
