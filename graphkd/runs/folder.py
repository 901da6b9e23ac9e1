"""Run folders: made seed by seed, resumed, read back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from graphkd.errors import GraphKDError
from graphkd.recipe import Recipe
from graphkd.runs.metrics import summarise
from graphkd.runs.seed import SeedRun
from graphkd.storage import read_json, whole_folder, write_json, write_text

PLACES = ("data_dir", "output_dir", "cache_dir", "device", "download", "overwrite")
"""Keys that say where and how, not what: they may differ when a run is resumed."""


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
