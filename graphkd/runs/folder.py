"""Run folders: made seed by seed, resumed, read back."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from graphkd.atomic_io import (
    check_writable,
    plain_yaml,
    read_json,
    replace_folder,
    whole_folder,
    write_json,
    write_text,
)
from graphkd.datasets import Graph
from graphkd.deploy.files import CARD
from graphkd.errors import GraphKDError
from graphkd.folders import restore
from graphkd.places import lies_in
from graphkd.runs.metrics import NAMES, PARTS, summarise
from graphkd.runs.seed import SeedRun
from graphkd.spec import DistillSpec

PLACES = ("data_dir", "output_dir", "cache_dir", "device", "download", "overwrite", "memory_budget")
"""Keys that say where and how, not what: they may differ when a run is resumed."""

CHECKSUMS = ("fingerprint", "split_fingerprint")
"""Keys of ``dataset`` that state which data a run was trained on, and with which split of its first seed."""


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
        self.path, self.config = path, config
        self.entries: list[dict[str, Any]] = []
        self.seeds: list[int] = config["seeds"]
        self.place = path
        for place in (path, path / "bundle"):
            restore(place)
        if path.is_dir() and _shown(path):
            self._check_reusable(overwrite)
        check_writable(path, "output_dir")

    @property
    def finished(self) -> bool:
        """Whether ``metrics.json`` is there, which is written last, and the bundle still is."""
        return (self.place / "metrics.json").is_file() and (self.place / "bundle" / CARD).is_file()

    @property
    def pending(self) -> list[int]:
        """Seeds that are not trained yet."""
        return [seed for seed in self.seeds if not (self.place / f"seed_{seed}").is_dir()]

    def add(self, seed: int, train: Callable[[], SeedRun]) -> None:
        """Trains a seed into ``seed_K``, unless an earlier, interrupted run has.

        The run folder itself appears with its first trained seed: a run that fails leaves nothing.
        """
        folder = self.place / f"seed_{seed}"
        if not folder.is_dir():
            result, text = train(), OmegaConf.to_yaml(OmegaConf.create(self.config))
            self.place.mkdir(parents=True, exist_ok=True)
            write_text(self.place / "config.yaml", text)
            with whole_folder(folder) as draft:
                result.write(draft)
        self.entries.append(read_json(folder / "metrics.json", "a seed of a run"))

    def finish(self, dataset: str, split: str, metric: str, spec: DistillSpec) -> dict[str, Any]:
        """Collects the seeds: all logs, the bundle of the seed that is best on validation, the metrics."""
        best = max(self.entries, key=lambda entry: entry["student"]["val"])["seed"]
        with whole_folder(self.place / "bundle") as draft:
            shutil.copytree(self.place / f"seed_{best}" / "bundle", draft, dirs_exist_ok=True)
        logs = [(self.place / f"seed_{seed}" / "log.jsonl").read_text("utf-8") for seed in self.seeds]
        write_text(self.place / "log.jsonl", "".join(logs))
        metrics = summarise(dataset, split, metric, spec, self.entries)
        write_json(self.place / "metrics.json", metrics)
        if len(self.seeds) == 1:
            shutil.rmtree(self.place / f"seed_{self.seeds[0]}")
        if self.place != self.path:
            replace_folder(self.place, self.path)
        return metrics

    def _check_reusable(self, overwrite: bool) -> None:
        if not (self.path / "config.yaml").is_file():
            raise GraphKDError(f"{self.path} exists and is not a run: choose another output_dir")
        if overwrite:  # beside the old run, which stays until the new one is finished
            _check_holds_no_input(self.path, self.config)
            self.place = self.path.absolute().with_name(f".{self.path.absolute().name}.new")
            _clear(self.place)
        elif key := _first_difference(read_config(self.path), self.config):
            raise GraphKDError(
                f"{self.path} holds a run with another {key}: choose another output_dir, or overwrite=true"
            )


def _check_holds_no_input(run: Path, config: dict[str, Any]) -> None:
    """What is in a run folder goes with it when it is overwritten."""
    used = {key: config.get(key) for key in ("data_dir", "cache_dir")}
    used["dataset.path"] = config["dataset"].get("path")
    for key, place in used.items():
        if isinstance(place, str) and lies_in(Path(place).expanduser(), run):
            raise GraphKDError(
                f"{key}={place} is in {run}, which is overwritten: move it, or choose another output_dir"
            )


def _clear(place: Path) -> None:
    """Removes what a killed run left there, and nothing else: the name may be a user's own."""
    run = (place / "config.yaml").is_file() or (place.is_dir() and not _shown(place))
    if place.is_symlink() or (place.exists() and not run):
        raise GraphKDError(f"{place} is in the way of the new run, and is no run: rename it")
    shutil.rmtree(place, ignore_errors=True)


def _shown(folder: Path) -> bool:
    """Whether anything is there; names that begin with a dot are drafts of a run that was killed."""
    return any(not entry.name.startswith(".") for entry in folder.iterdir())


def data_checksums(graph: Graph, path: Path, overwrite: bool) -> dict[str, str]:
    """Returns the checksums of a run's data as ``config.yaml`` states them, under ``dataset``.

    A run of version 0.1 that is in the folder goes on with what it has: one for data in memory or in one's own
    files, the split of its first seed included, and none for a built-in data set.

    Args:
        graph: of the first seed.
        path: of the run folder.
        overwrite: replace another run that is there.

    Raises:
        GraphKDError: the config that is there is damaged.
    """
    there = not overwrite and (path / "config.yaml").is_file()
    old = read_config(path)["dataset"] if there else dict.fromkeys(CHECKSUMS)
    if "split_fingerprint" in old:
        return {key: graph.origin[key] for key in CHECKSUMS}
    return {"fingerprint": graph.fingerprint_of_0_1()} if "fingerprint" in old else {}


def read_config(path: Path) -> dict[str, Any]:
    """The resolved config of a run.

    Raises:
        GraphKDError: ``path`` is not a run folder.
    """
    restore(path)
    file = path / "config.yaml"
    if not file.is_file():
        raise GraphKDError(f"{path} is not a run: it holds no config.yaml; make one with graphkd distill")
    try:
        config = OmegaConf.to_container(OmegaConf.create(plain_yaml(file)))
        return {**config, "dataset": {**config["dataset"]}, "seeds": [*config["seeds"]]}  # type: ignore[dict-item, call-overload, index]
    except Exception as error:  # a damaged YAML file can fail in many ways
        raise GraphKDError(f"{file} is damaged ({type(error).__name__}): make the run again elsewhere") from None


def read_metrics(path: Path) -> dict[str, Any]:
    """``metrics.json`` of a finished run.

    Raises:
        GraphKDError: ``path`` is not a run folder, the run is not finished, or the file is damaged.
    """
    read_config(path)
    if not (path / "metrics.json").is_file():
        raise GraphKDError(f"{path} is not finished: run its graphkd distill command again, it goes on")
    metrics = read_json(path / "metrics.json", "a run")
    if not _whole(metrics):
        raise GraphKDError(f"{path / 'metrics.json'} is damaged: make the run again with overwrite=true")
    return metrics


def _whole(metrics: dict[str, Any]) -> bool:
    """Whether all is there that a reader of runs relies on."""
    try:
        seeds = metrics["seeds"]
        scores = [seed[part][at] for seed in seeds for part in ("teacher", "student") for at in ("val", "test")]
        scores += [score for seed in seeds for part in PARTS for score in seed.get(part, {}).values()]
        return (
            bool(scores)
            and all(isinstance(score, float) and math.isfinite(score) for score in scores)
            and all(isinstance(metrics[name], str) for name in NAMES)
            and all(isinstance(seed["seed"], int) for seed in seeds)
        )
    except (KeyError, TypeError, AttributeError):
        return False


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
