"""Runs that one process and two are to train alike."""

from __future__ import annotations

import functools
from typing import Any

import torch

from graphkd import Training, students, teachers
from graphkd.datasets import Graph
from graphkd.registry import catalogue
from graphkd.runs import SeedRun
from graphkd.spec import DistillSpec, resolve
from graphkd.teachers import TeacherOutput
from tests.conftest import make_data

NODES = 61
EPOCHS = 10

Log = list[dict[str, Any]]


def given() -> TeacherOutput:
    """A teacher whose training is none of these tests."""
    drawn = torch.Generator().manual_seed(0)
    logits, *hops = (torch.randn(NODES, width, generator=drawn) for width in (3, 8, 8))
    return TeacherOutput(logits, [*hops, logits])


def spec_of(
    method: str, matching: str = "none", teacher: str | None = None, epochs: int = EPOCHS, **keys: Any
) -> DistillSpec:
    """Keys of the training, and ``norm`` of the student."""
    network = given() if teacher is None else functools.partial(catalogue(teachers)[teacher], hidden_dim=8)
    student = functools.partial(
        students.MLP, hidden_dim=8, num_layers=3, dropout=0.4, norm=keys.pop("norm", "none")
    )
    training = Training(max_epochs=epochs, patience=epochs, **keys)
    return resolve(network, student, method, matching, training=training)


def log_of(spec: DistillSpec) -> Log:
    """One record per epoch and stage."""
    return SeedRun.train(Graph.from_data(make_data(NODES)), spec, 1).log


def furthest(one: Log, two: Log) -> float:
    """The largest relative difference of a loss term, or of a score."""
    assert [(row["stage"], row["epoch"]) for row in one] == [(row["stage"], row["epoch"]) for row in two]
    pairs = [(a[key], b[key]) for a, b in zip(one, two, strict=True) for key in a if key != "stage"]
    return max(abs(a - b) / max(abs(a), 1e-6) for a, b in pairs)
