"""The tables that ``graphkd evaluate`` prints below the scores of each seed."""

from __future__ import annotations

from graphkd.reports.figures import percent
from graphkd.runs import Evaluation

SCORES = {
    "test_macro_f1": "macro-F1",
    "test_balanced_accuracy": "balanced accuracy",
    "test_worst_class_accuracy": "worst class",
    "test_ece": "ECE",
    "test_brier": "Brier",
}
"""Scores of a line each, by their name in the table."""

WIDEST = 20
"""Number of classes up to which the confusion matrix is printed."""

LONGEST = 30
"""Characters of a class name that are printed."""


def format_evaluation(evaluation: Evaluation) -> list[str]:
    """Formats the lines: scores, the confusion matrix, the metrics of each class, and warnings."""
    lines = [*_scores(evaluation), "", *_matrix(evaluation), "", *_classes(evaluation)]
    return [*lines, *(f"warning: {line}" for line in evaluation.warnings)]


def _scores(evaluation: Evaluation) -> list[str]:
    """Returns a line per score: mean ± population standard deviation over seeds, in percent."""
    return [
        f"test {name + ' %':<22}{percent([seed[column] for seed in evaluation.scores]):>16}"
        for column, name in SCORES.items()
    ]


def _matrix(evaluation: Evaluation) -> list[str]:
    """Returns a line per class, with a column per prediction."""
    counts = evaluation.confusion.counts
    if len(counts) > WIDEST:
        return [f"confusion matrix of {len(counts)} classes: --output FOLDER writes it"]
    names = _names(evaluation)
    head = max(map(len, [*names, "class"]))
    width = 2 + max(*map(len, names), len(str(counts.max())))
    lines = ["test nodes by class (rows) and prediction (columns)"]
    lines.append(f"{'class':<{head}}" + "".join(f"{name:>{width}}" for name in names))
    for name, row in zip(names, counts.tolist(), strict=True):
        lines.append(f"{name:<{head}}" + "".join(f"{count:>{width}}" for count in row))
    return lines


def _classes(evaluation: Evaluation) -> list[str]:
    """Returns a line per class with its precision, recall and F1 score in percent, and its support."""
    names = _names(evaluation)
    head = max(map(len, [*names, "class"]))
    lines = [f"{'class':<{head}}{'precision %':>13}{'recall %':>11}{'F1 %':>9}{'support':>10}"]
    for name, row in zip(names, evaluation.classes, strict=True):
        precision, recall, f1 = (100 * row[column] for column in ("precision", "recall", "f1"))
        lines.append(f"{name:<{head}}{precision:>13.2f}{recall:>11.2f}{f1:>9.2f}{row['support']:>10}")
    return lines


def _names(evaluation: Evaluation) -> list[str]:
    names = [" ".join(str(name).split()) for name in evaluation.class_names]
    return [name if len(name) <= LONGEST else name[: LONGEST - 1] + "…" for name in names]
