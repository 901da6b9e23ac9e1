"""The tables that ``graphkd evaluate`` prints below the scores of each seed."""

from __future__ import annotations

from graphkd.evaluation.figures import figure, percent
from graphkd.runs import Evaluation

SCORES = {
    "test_macro_f1": "macro-F1",
    "test_balanced_accuracy": "balanced accuracy",
    "test_worst_class_accuracy": "worst class",
    "test_ece": "ECE",
    "test_brier": "Brier",
    "test_micro_f1": "micro-F1",
    "test_micro_f1_known_counts": "micro-F1, counts known",
    "test_macro_f1_known_counts": "macro-F1, counts known",
}
"""Scores of a line each, by their name in the table."""

ERRORS = {"test_mae": "MAE", "test_rmse": "RMSE"}
"""Errors in the user's units, likewise."""

WIDEST = 20
"""Number of classes up to which the confusion matrix is printed."""

LONGEST = 30
"""Characters of a class name that are printed."""


def format_evaluation(evaluation: Evaluation) -> list[str]:
    """Formats the lines: scores, the confusion matrix, the metrics of each class, and warnings."""
    if evaluation.confusion is None:
        return [*_scores(evaluation), "", *_outputs(evaluation)]
    lines = [*_scores(evaluation), "", *_matrix(evaluation), "", *_classes(evaluation)]
    return [*lines, *(f"warning: {line}" for line in evaluation.warnings)]


def _scores(evaluation: Evaluation) -> list[str]:
    """Returns a line per score: mean ± population standard deviation over seeds, in percent."""
    return [
        f"test {name + ' %':<22}{percent([seed[column] for seed in evaluation.scores]):>16}"
        for column, name in SCORES.items()
        if column in evaluation.scores[0]
    ] + [
        f"test {name:<24}{figure([seed[column] for seed in evaluation.scores]):>16}"
        for column, name in ERRORS.items()
        if column in evaluation.scores[0]
    ]


def _outputs(evaluation: Evaluation) -> list[str]:
    """Returns a line per label or target: mean over seeds of its metrics."""
    names, rows = _names(evaluation), evaluation.classes
    head = max(map(len, [*names, "output"]))
    keys = [key for key in rows[0] if key != "class"]
    lines = [f"{'output':<{head}}" + "".join(f"{key:>12}" for key in keys)]
    for name, row in zip(names, rows, strict=True):
        lines.append(f"{name:<{head}}" + "".join(f"{row[key]:>12.4g}" for key in keys))
    return lines


def _matrix(evaluation: Evaluation) -> list[str]:
    """Returns a line per class, with a column per prediction."""
    assert evaluation.confusion is not None
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
