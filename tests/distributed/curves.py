"""Runs that one process and two are to train alike."""

from __future__ import annotations

import functools
from typing import Any

from graphkd import Training, students, teachers
from graphkd.datasets import Graph
from graphkd.names import catalogue
from graphkd.recipe import Recipe, resolve
from graphkd.runs import SeedRun
from graphkd.teachers import Teacher
from tests.conftest import make_data

Log = list[dict[str, Any]]


def recipe_of(method: str, training: dict[str, Any], teacher: str = "gcn", matching: str = "none", **student: Any) -> Recipe:
    network = functools.partial(catalogue(teachers)[teacher], hidden_dim=8, num_layers=3)
    mlp = functools.partial(students.MLP, **{"hidden_dim": 8, "num_layers": 3, "dropout": 0.4, **student})
    return resolve(network, mlp, method, matching, training=Training(max_epochs=20, patience=20, **training))


def log_of(recipe: Recipe, num_nodes: int = 61) -> Log:
    """One record per epoch and stage."""
    return SeedRun.train(Graph.from_data(make_data(num_nodes)), recipe, 1).log


def furthest(one: Log, two: Log) -> float:
    """The largest relative difference of a loss term, or of a score."""
    assert [(row["stage"], row["epoch"]) for row in one] == [(row["stage"], row["epoch"]) for row in two]
    pairs = [(a[key], b[key]) for a, b in zip(one, two, strict=True) for key in a if key != "stage"]
    return max(abs(a - b) / max(abs(a), 1e-6) for a, b in pairs)
