"""Contents of ``metrics.json``, and names of runs."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from graphkd.datasets import Graph
from graphkd.methods import MLP
from graphkd.spec import DistillSpec, name_of

SCHEMA_VERSION = 1

NAMES = (
    "dataset", "split", "setting", "metric", "teacher", "student", "method", "variant", "matching", "influence",
)  # fmt: skip
"""Keys of ``metrics.json`` that name a run's data and parts, as strings."""

PLAIN = ("mlp", "mlp_same_inputs")
"""Plainly trained students, in the order of a table."""

PARTS = ("teacher", "student", *PLAIN)
"""Models whose scores are recorded; those of the plain MLPs only where they were trained."""

TRANSFORMED = "transformed_teacher"
"""Scores of the teacher as it was distilled, where a transform changed it."""

TESTS = ("test", "test_ind", "test_tran", "test_hits@20")
"""Scores on test nodes: all, hidden and visible ones, where a setting hides nodes; and of links, a ranking."""


@dataclass(frozen=True)
class RunFacts:
    """What ``metrics.json`` states of a run beside its seeds.

    Args:
        dataset: its name.
        split: its name.
        metric: of ``val`` and ``test``.
        names: of the parts, see ``DistillSpec.names``.
        protocol: see ``protocol``.
        is_plain: whether the student is the plain MLP.
    """

    dataset: str
    split: str
    metric: str
    names: dict[str, str]
    protocol: dict[str, Any]
    is_plain: bool = False

    @classmethod
    def of(cls, graph: Graph, spec: DistillSpec) -> RunFacts:
        """Returns the facts of a run of nodes."""
        is_plain = isinstance(spec.method, MLP) and spec.inputs.reads == "x"
        return cls(graph.dataset, graph.split, graph.metric, spec.names, protocol(spec), is_plain)


def summarise(facts: RunFacts, entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Builds ``metrics.json``: the seeds, their mean and their population standard deviation (ddof 0)."""
    tests = {
        f"{part}_{score}": [entry[part][score] for entry in entries]
        for part in (*PARTS, TRANSFORMED)
        for score in TESTS
        if all(score in entry.get(part, {}) for entry in entries)
    }
    if facts.is_plain and not any("mlp" in entry for entry in entries):
        # The student is the plain MLP: a reader of many runs finds its score under one name.
        tests |= {f"mlp_{score}": tests[f"student_{score}"] for score in TESTS if f"student_{score}" in tests}
    names = dict(facts.names)
    return {
        "schema_version": SCHEMA_VERSION,
        "dataset": facts.dataset,
        "split": facts.split,
        "setting": names.pop("setting"),
        "metric": facts.metric,
        **{key: entry[key] for entry in entries[:1] for key in ("task",) if key in entry},
        **names,
        **facts.protocol,
        "seeds": entries,
        "mean": {column: float(np.mean(values)) for column, values in tests.items()},
        "std": {column: float(np.std(values)) for column, values in tests.items()},
        "versions": versions(),
    }


def protocol(spec: DistillSpec) -> dict[str, Any]:
    """Returns what chooses the epoch, what each model reads, and what training may have read of hidden nodes."""
    return {
        **({} if spec.training.metric is None else {"selected_by": spec.training.metric}),
        "reads": reads(spec),
        **({"influence_of_full_graph": True} if spec.leaks else {}),
        **({"teacher_may_have_seen_hidden": True} if spec.given_teacher_may_leak else {}),
    }


def selected(metrics: dict[str, Any], part: str = "val") -> str:
    """Returns the key of the score that a run selects on: ``val``, or that of another ``training.metric``.

    Args:
        metrics: contents of ``metrics.json``.
        part: ``val`` or ``test``.
    """
    other = metrics.get("selected_by")
    return part if other is None or other == metrics["metric"] else f"{part}_{other}"


def reads(spec: DistillSpec) -> dict[str, str]:
    """Returns the inputs of each model at inference, by part: ``x``, or ``neighbours`` as well."""
    students = {"student": spec, **spec.baselines}
    teacher = {"teacher": "neighbours"} if spec.uses_teacher else {}
    if spec.transform.name != "none":
        teacher[TRANSFORMED] = "neighbours"
    return {**teacher, **{name: each.inputs.reads for name, each in students.items()}}


def default_name(dataset: str, split: str, spec: DistillSpec) -> str:
    """Returns ``<dataset>-<split>-<setting>-<teacher>-<method>-<matching>``, and what is added to it."""
    parts = (spec.setting, name_of(spec.teacher), name_of(spec.method), name_of(spec.matching))
    return "-".join((dataset, split, *parts, *(name for name in spec.add_ons.values() if name != "none")))


def versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages that results depend on."""
    installed = {"python": platform.python_version()}
    for package in ("graphkd", "torch", "torch-geometric", "numpy", "scipy", "scikit-learn"):
        try:
            installed[package] = version(package)
        except PackageNotFoundError:
            installed[package] = "not installed"
    return installed
