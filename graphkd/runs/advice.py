"""Suggestions for runs in which a plain MLP scores higher than the teacher or the student."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphkd.evaluation.figures import score_text
from graphkd.runs.evaluation import never_predicted
from graphkd.runs.metrics import PLAIN, selected

ASKED = {"mlp": "method=mlp", "mlp_same_inputs": "method=mlp with the same encoder"}
"""Overrides that train each of the plainly trained students by itself."""


def advice(metrics: dict[str, Any]) -> list[str]:
    """Compares validation scores, averaged over seeds, and returns suggestions; test scores are not used.

    Args:
        metrics: contents of ``metrics.json``.

    Returns:
        A line if the plain MLP on raw rows scores higher than the teacher, and one if the best plain MLP scores
        higher than the student; empty if no plain MLP was trained, or none is better.
    """
    means = {name: _mean(metrics, name) for name in ("teacher", "student", *PLAIN) if name in metrics["seeds"][0]}
    plain = {name: means[name] for name in PLAIN if name in means}
    lines, metric = [], metrics.get("selected_by", metrics["metric"])
    if "mlp" in plain and plain["mlp"] > means.get("teacher", 1.0):
        lines.append(f"{_beats('mlp', means, 'teacher', metric)}: try {_teachers(metrics)}")
    best = max(plain, key=lambda name: plain[name], default="")
    if best and plain[best] > means["student"]:
        lines.append(f"{_beats(best, means, 'student', metric)}: try {_students(metrics, best)}")
    return lines


def class_warnings(metrics: dict[str, Any]) -> list[str]:
    """Returns a line for each class that the student never predicts; none for runs that did not record it.

    Args:
        metrics: contents of ``metrics.json``.
    """
    found = [seed["classes"] for seed in metrics["seeds"] if "classes" in seed]
    return never_predicted([{**each["student"], "names": each["names"]} for each in found]) if found else []


def _mean(metrics: dict[str, Any], part: str) -> float:
    return float(np.mean([seed[part][selected(metrics)] for seed in metrics["seeds"]]))


def _beats(plain: str, means: dict[str, float], part: str, metric: str) -> str:
    inputs = " of the same inputs" if plain == "mlp_same_inputs" else ""
    return (
        f"the plain MLP{inputs} is better than the {part} on validation nodes "
        f"({score_text([means[plain]], metric)} against {score_text([means[part]], metric)})"
    )


def _teachers(metrics: dict[str, Any]) -> str:
    """Returns overrides for a teacher that keeps a node's own row separate; others mix it with its neighbours'."""
    if metrics["teacher"] == "sage":
        return "teacher.aggregator=mean if it is gcn, or another teacher"
    return "teacher=sage teacher.aggregator=mean, which keeps a node's own row apart from its neighbours'"


def _students(metrics: dict[str, Any], best: str) -> str:
    labels = f"a larger method.lam, the share of the labels in {metrics['method']}'s loss"
    return f"{ASKED[best]}, another teacher, or {labels}" if metrics["teacher"] != "none" else ASKED[best]
