"""Runs and their folders: training the seeds, writing them down, reading them back."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf
from torch import nn

from graphkd.datasets import Graph
from graphkd.deploy import write_bundle
from graphkd.errors import GraphKDError
from graphkd.recipe import Recipe, name_of
from graphkd.storage import read_json, whole_folder, write_json, write_text
from graphkd.training.loop import Log
from graphkd.training.stages import Distilled, Taught, teach, train_baseline, train_student

SCHEMA_VERSION = 1
PLACES = ("data_dir", "output_dir", "cache_dir", "device", "download", "overwrite")
"""Keys that say where and how, not what: they may differ when a run is resumed."""


@dataclass(frozen=True)
class SeedRun:
    """One seed of a run, trained.

    Args:
        seed: the seed.
        graph: what it was trained on.
        recipe: its parts.
        taught: the teacher.
        distilled: the student.
        baseline: the plainly trained student, or nothing.
        log: one record per epoch and stage.
    """

    seed: int
    graph: Graph
    recipe: Recipe
    taught: Taught
    distilled: Distilled
    baseline: Distilled | None
    log: Log

    @classmethod
    def train(cls, graph: Graph, recipe: Recipe, seed: int, baseline: bool = False) -> SeedRun:
        """Runs the stages.

        Args:
            graph: checked data on its device.
            recipe: the parts.
            seed: of everything random.
            baseline: also train the student plainly, for comparison.
        """
        log: Log = []
        taught = teach(graph, recipe, seed, log)
        distilled = train_student(graph, recipe, taught.output, seed, log)
        plain = train_baseline(graph, recipe, taught.output, seed, log) if baseline else None
        return cls(seed, graph, recipe, taught, distilled, plain, [{"seed": seed, **row} for row in log])

    @property
    def entry(self) -> dict[str, Any]:
        """This seed's element of ``metrics.json``."""
        teacher, student = self.taught.fit, self.distilled.fit
        entry = {
            "seed": self.seed,
            "teacher": self.taught.scores,
            "student": self.distilled.scores,
            "epochs": {"teacher": teacher.epochs, "student": student.epochs},
            "seconds": {
                "teacher": round(teacher.seconds, 3),
                "compile": round(self.distilled.compile_seconds, 3),
                "student": round(student.seconds, 3),
            },
        }
        return entry if self.baseline is None else {**entry, "mlp": self.baseline.scores}

    def write(self, folder: Path) -> None:
        """Fills a folder with ``bundle/``, ``log.jsonl`` and ``metrics.json`` (the entry)."""
        card = {
            "dataset": self.graph.dataset,
            "split": self.graph.split,
            **self.recipe.names,
            "seed": self.seed,
            "teacher_scores": self.taught.scores,
            "student_scores": self.distilled.scores,
            "versions": versions(),
        }
        write_bundle(
            folder / "bundle",
            self.distilled.model,
            self.distilled.arguments,
            self.graph.preprocessing,
            self.distilled.propagation,
            self.graph.class_names,
            card,
        )
        write_text(folder / "log.jsonl", "".join(json.dumps(row) + "\n" for row in self.log))
        write_json(folder / "metrics.json", self.entry)


class Run:
    """What ``graphkd.distill`` returns.

    Args:
        result: the trained seed.
    """

    def __init__(self, result: SeedRun) -> None:
        self.result = result

    @property
    def metrics(self) -> dict[str, Any]:
        """The contents of ``metrics.json``."""
        graph = self.result.graph
        return summarise(graph.dataset, graph.split, self.result.recipe, [self.result.entry])

    @property
    def teacher(self) -> nn.Module:
        """The trained graph network."""
        return self.result.taught.model

    @property
    def student(self) -> nn.Module:
        """The trained MLP, called with prepared rows."""
        return self.result.distilled.model

    def save(self, path: str | Path, overwrite: bool = False) -> None:
        """Writes the run folder.

        Args:
            path: of the folder.
            overwrite: replace a run that is there.

        Raises:
            GraphKDError: there is something at ``path``, and it may not or must not be replaced.
        """
        graph = self.result.graph
        config = {
            "dataset": {
                "name": graph.dataset,
                "split": graph.split,
                "features": graph.preprocessing.features,
                "row_normalize": graph.preprocessing.row_normalize,
            },
            **self.result.recipe.config(),
            "seeds": [self.result.seed],
        }
        folder = RunFolder(Path(path), config, overwrite)
        folder.add(self.result.seed, lambda: self.result)
        folder.finish(graph.dataset, graph.split, self.result.recipe)


class RunFolder:
    """A run folder that is being made; made again with the same config it goes on where it stopped.

    Args:
        path: of the folder; nothing is written if it is refused.
        config: resolved; what ``config.yaml`` will say.
        overwrite: replace another run that is there.

    Raises:
        GraphKDError: the folder holds another run (and ``overwrite`` is false), or no run at all.
    """

    def __init__(self, path: Path, config: dict[str, Any], overwrite: bool) -> None:
        self.path = path
        if path.exists():
            self._check_reusable(config, overwrite)
        self.config = config
        self.entries: list[dict[str, Any]] = []
        self.seeds: list[int] = config["seeds"]

    @property
    def finished(self) -> bool:
        """Whether ``metrics.json`` is there: it is written last."""
        return (self.path / "metrics.json").is_file()

    def add(self, seed: int, train: Callable[[], SeedRun]) -> None:
        """Trains a seed into ``seed_K``, unless an earlier, interrupted run has.

        The run folder itself appears with its first trained seed: a run that fails leaves nothing.
        """
        seat = self.path / f"seed_{seed}"
        if not seat.is_dir():
            result = train()
            self.path.mkdir(parents=True, exist_ok=True)
            write_text(self.path / "config.yaml", OmegaConf.to_yaml(OmegaConf.create(self.config)))
            with whole_folder(seat) as draft:
                result.write(draft)
        self.entries.append(read_json(seat / "metrics.json", "a seed of a run"))

    def finish(self, dataset: str, split: str, recipe: Recipe) -> dict[str, Any]:
        """Collects the seeds: all logs, the bundle of the seed that is best on validation, the metrics."""
        best = max(self.entries, key=lambda entry: entry["student"]["val"])["seed"]
        with whole_folder(self.path / "bundle") as draft:
            shutil.copytree(self.path / f"seed_{best}" / "bundle", draft, dirs_exist_ok=True)
        logs = [(self.path / f"seed_{seed}" / "log.jsonl").read_text("utf-8") for seed in self.seeds]
        write_text(self.path / "log.jsonl", "".join(logs))
        metrics = summarise(dataset, split, recipe, self.entries)
        write_json(self.path / "metrics.json", metrics)
        if len(self.seeds) == 1:
            shutil.rmtree(self.path / f"seed_{self.seeds[0]}")
        return metrics

    def _check_reusable(self, config: dict[str, Any], overwrite: bool) -> None:
        if not (self.path / "config.yaml").is_file():
            if self.path.is_dir() and not any(self.path.iterdir()):
                self.path.rmdir()
                return
            raise GraphKDError(f"{self.path} exists and is not a run: choose another output_dir")
        key = _first_difference(read_config(self.path), config)
        if key and not overwrite:
            raise GraphKDError(
                f"{self.path} holds a run with another {key}: choose another output_dir, or overwrite=true"
            )
        if overwrite:
            shutil.rmtree(self.path)


def read_config(path: Path) -> dict[str, Any]:
    """The resolved config of a run.

    Raises:
        GraphKDError: ``path`` is not a run folder.
    """
    file = path / "config.yaml"
    if not file.is_file():
        raise GraphKDError(f"{path} is not a run: it holds no config.yaml; make one with graphkd distill")
    try:
        config = OmegaConf.to_container(OmegaConf.load(file))
    except Exception as error:  # a damaged YAML file can fail in many ways
        raise GraphKDError(f"{file} is damaged ({type(error).__name__}): make the run again") from None
    if not isinstance(config, dict):
        raise GraphKDError(f"{file} is damaged: make the run again")
    return {str(key): value for key, value in config.items()}


def read_metrics(path: Path) -> dict[str, Any]:
    """``metrics.json`` of a finished run.

    Raises:
        GraphKDError: ``path`` is not a run folder, or the run is not finished.
    """
    read_config(path)
    if not (path / "metrics.json").is_file():
        raise GraphKDError(f"{path} is not finished: run its graphkd distill command again, it goes on")
    return read_json(path / "metrics.json", "a run")


def summarise(dataset: str, split: str, recipe: Recipe, entries: list[dict[str, Any]]) -> dict[str, Any]:
    """``metrics.json``: the seeds, their mean and their population standard deviation (ddof 0)."""
    columns = {"teacher_test": "teacher", "student_test": "student", "mlp_test": "mlp"}
    tests = {
        column: [entry[part]["test"] for entry in entries]
        for column, part in columns.items()
        if all(part in entry for entry in entries)
    }
    names = recipe.names
    return {
        "schema_version": SCHEMA_VERSION,
        "dataset": dataset,
        "split": split,
        "setting": names.pop("setting"),
        "metric": "accuracy",
        **names,
        "seeds": entries,
        "mean": {column: float(np.mean(values)) for column, values in tests.items()},
        "std": {column: float(np.std(values)) for column, values in tests.items()},
        "versions": versions(),
    }


def default_name(dataset: str, split: str, recipe: Recipe) -> str:
    """``<dataset>-<split>-<setting>-<teacher>-<method>-<matching>``."""
    parts = (recipe.setting, name_of(recipe.teacher), name_of(recipe.method), name_of(recipe.matching))
    return "-".join((dataset, split, *parts))


def versions() -> dict[str, str]:
    """Python and the packages that results depend on."""
    found = {"python": platform.python_version()}
    for package in ("graphkd", "torch", "torch-geometric", "numpy", "scipy", "scikit-learn"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def _first_difference(old: dict[str, Any], new: dict[str, Any], prefix: str = "") -> str:
    for key in sorted(old.keys() | new.keys()):
        if not prefix and key in PLACES:
            continue
        mine, theirs = old.get(key), new.get(key)
        if isinstance(mine, dict) and isinstance(theirs, dict):
            inner = _first_difference(mine, theirs, f"{prefix}{key}.")
            if inner:
                return inner
        elif mine != theirs:
            return f"{prefix}{key}"
    return ""
