"""Run folders: written seed by seed, resumed, read."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

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
from graphkd.deploy.files import holds_bundle
from graphkd.errors import GraphKDError
from graphkd.folders import restore
from graphkd.places import lies_in
from graphkd.runs.earlier import EarlierRun
from graphkd.runs.live_log import LOG, is_live_log
from graphkd.runs.metrics import NAMES, PARTS, RunFacts, selected, summarise
from graphkd.runs.saved_teacher import SAVED_TEACHER
from graphkd.training.settings import LABEL_INPUTS, OF_EACH, Training

PLACES = (
    "data_dir",
    "output_dir",
    "cache_dir",
    "device",
    "download",
    "overwrite",
    "memory_budget",
    "tracker",
    "cluster",
)
"""Keys of locations and execution, which do not affect results: they may differ when a run is resumed."""

LATER: dict[str, Any] = {
    "balance._target_": "graphkd.balance.NoBalance",
    "dataset.imbalance": 1.0,
    "dataset.long_tail": 1.0,
    "decoder._target_": "graphkd.links.AutoDecoder",
    "deploy.calibrate": False,
    "save_teacher": False,
    "teacher.jumping_knowledge": "none",
    "training.class_weight": "none",
    **{f"training.{of}{name}": getattr(Training, of + name) for of in ("", "teacher_") for name in OF_EACH},
    **{f"training.{name}": getattr(Training, name) for name in LABEL_INPUTS},
}
"""Keys that runs of before have not, by dotted name → the value that stands for what they did."""

CHECKSUMS = ("fingerprint", "split_fingerprint")
"""Keys of ``dataset`` with the checksums of a run's data and of its first seed's split."""


class TrainedSeed(Protocol):
    """A trained seed of a run, of nodes or of links."""

    def write(self, folder: Path, save_teacher: bool = False) -> None:
        """Writes ``bundle/``, ``log.jsonl`` and ``metrics.json``, and the trained teacher where asked to."""


class RunFolder:
    """A run folder in progress; opened again with the same config, or with more seeds, the run goes on.

    A finished run that gets more seeds is replaced, with its seeds kept, when the new ones are trained.

    Args:
        path: of the folder; nothing is written if an error is raised.
        config: resolved; the contents of ``config.yaml``.
        overwrite: replace an existing run.

    Raises:
        GraphKDError: the folder contains another run, or one of more seeds (and ``overwrite`` is false), or
            something else than a run.
    """

    def __init__(self, path: Path, config: dict[str, Any], overwrite: bool) -> None:
        self.path, self.config = path, config
        self.entries: list[dict[str, Any]] = []
        self.seeds: list[int] = config["seeds"]
        self.place = path
        self.earlier: EarlierRun | None = None
        for folder in (path, path / "bundle"):
            restore(folder)
        if path.is_dir() and _shown(path):
            self._check_reusable(overwrite)
        check_writable(path, "output_dir")

    @property
    def finished(self) -> bool:
        """Whether ``metrics.json``, which is written last, and the bundle exist, and no seed was added."""
        return self.earlier is None and self._is_written

    @property
    def _is_written(self) -> bool:
        return (self.place / "metrics.json").is_file() and holds_bundle(self.place / "bundle")

    @property
    def pending(self) -> list[int]:
        """Seeds not trained yet."""
        kept = {} if self.earlier is None else self.earlier.entries
        return [seed for seed in self.seeds if seed not in kept and not (self.place / f"seed_{seed}").is_dir()]

    def add(self, seed: int, train: Callable[[], TrainedSeed]) -> None:
        """Trains a seed into ``seed_K``, unless an earlier run did.

        The run folder itself is created with its first trained seed: a run that fails earlier leaves nothing.
        """
        if self.earlier is not None and seed in self.earlier.entries:
            self.entries.append(self.earlier.entries[seed])
            return
        folder = self.place / f"seed_{seed}"
        if not folder.is_dir():
            result, text = train(), OmegaConf.to_yaml(OmegaConf.create(self.config))
            self.place.mkdir(parents=True, exist_ok=True)
            write_text(self.place / "config.yaml", text)
            with whole_folder(folder) as draft:
                result.write(draft, bool(self.config.get("save_teacher")))
        self.entries.append(read_json(folder / "metrics.json", "a seed of a run"))

    def finish(self, facts: RunFacts) -> dict[str, Any]:
        """Combines the seeds: all logs, the bundle of the seed with the best validation score, the metrics."""
        metrics = summarise(facts, self.entries)
        best = _best(self.entries, metrics)
        if self.earlier is not None:
            self.earlier.copy_to(self.place)
        with whole_folder(self.place / "bundle") as draft:
            shutil.copytree(self._bundle_of(best, metrics), draft, dirs_exist_ok=True)
        for name in SAVED_TEACHER:
            if (file := self.place / f"seed_{best}" / name).is_file():
                shutil.copy(file, self.place / name)
        logs = [(self.place / f"seed_{seed}" / LOG).read_text("utf-8") for seed in self.seeds]
        write_text(self.place / LOG, "".join(logs))
        write_json(self.place / "metrics.json", metrics)
        if len(self.seeds) == 1:
            shutil.rmtree(self.place / f"seed_{self.seeds[0]}")
        if self.place != self.path:
            replace_folder(self.place, self.path)
        return metrics

    def _bundle_of(self, seed: int, metrics: dict[str, Any]) -> Path:
        """Returns the bundle of a seed: that of the earlier run, with its exports, if it is of this seed."""
        earlier = self.earlier
        is_kept = earlier is not None and earlier.entries and _best([*earlier.entries.values()], metrics) == seed
        return (self.path if is_kept else self.place / f"seed_{seed}") / "bundle"

    def _check_reusable(self, overwrite: bool) -> None:
        if not (self.path / "config.yaml").is_file():
            raise GraphKDError(f"{self.path} exists and is not a run: choose another output_dir")
        if overwrite:  # written beside the old run, which is kept until the new one is finished
            _check_holds_no_input(self.path, self.config)
            self.place = _beside(self.path)
            _clear(self.place)
        else:
            _check_goes_on(self.path, read_config(self.path), self.config)
            self._go_on()

    def _go_on(self) -> None:
        """Continues a finished run of fewer seeds beside it; an interrupted one goes on where it is."""
        if not self._is_written or read_config(self.path)["seeds"] == self.seeds:
            return
        self.earlier, self.place = EarlierRun(self.path, read_metrics(self.path)), _beside(self.path)
        if not (self.place / "config.yaml").is_file() or _first_difference(read_config(self.place), self.config):
            _check_holds_no_input(self.path, self.config)
            _clear(self.place)


def _best(entries: list[dict[str, Any]], metrics: dict[str, Any]) -> int:
    """Returns the seed whose student is best on validation; of several, the first."""
    seed: int = max(entries, key=lambda entry: entry["student"][selected(metrics)])["seed"]
    return seed


def _beside(path: Path) -> Path:
    """Returns the folder in which a run is made that replaces a finished one."""
    return path.absolute().with_name(f".{path.absolute().name}.new")


def _check_goes_on(path: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
    """Checks that a run has the settings of the one in its folder, whose seeds may be the first of its own."""
    if key := _first_difference({**old, "seeds": None}, {**new, "seeds": None}):
        raise GraphKDError(f"{path} holds a run with another {key}: choose another output_dir, or overwrite=true")
    seeds, wanted = old["seeds"], new["seeds"]
    if set(wanted) < set(seeds):
        raise GraphKDError(
            f"{path} holds a run of {len(seeds)} seeds, more than the {len(wanted)} here: give all of them, "
            "choose another output_dir, or overwrite=true"
        )
    if wanted[: len(seeds)] != seeds:
        raise GraphKDError(f"{path} holds a run with another seeds: choose another output_dir, or overwrite=true")


def _check_holds_no_input(run: Path, config: dict[str, Any]) -> None:
    """Checks that no folder the run reads lies in its run folder: it would be deleted with it when overwritten."""
    inputs = {key: config.get(key) for key in ("data_dir", "cache_dir")}
    inputs["dataset.path"] = config["dataset"].get("path")
    for key, folder in inputs.items():
        if isinstance(folder, str) and lies_in(Path(folder).expanduser(), run):
            raise GraphKDError(
                f"{key}={folder} is in {run}, which is overwritten: move it, or choose another output_dir"
            )


def _clear(place: Path) -> None:
    """Removes the folder of a killed run, and nothing else: a user may have a file of that name.

    Raises:
        GraphKDError: something else than a run is at that path.
    """
    is_run = (place / "config.yaml").is_file() or (place.is_dir() and not _shown(place))
    if place.is_symlink() or (place.exists() and not is_run):
        raise GraphKDError(f"{place} is in the way of the new run, and is no run: rename it")
    shutil.rmtree(place, ignore_errors=True)


def _shown(folder: Path) -> bool:
    """Returns whether a folder has other entries than drafts, and the log, of a run that was killed."""
    return any(not (entry.name.startswith(".") or is_live_log(entry)) for entry in folder.iterdir())


def data_checksums(graph: Graph, path: Path, overwrite: bool) -> dict[str, str]:
    """Returns the checksums of a run's data as ``config.yaml`` states them, under ``dataset``.

    An existing run of version 0.1 keeps its kind of checksum: one for data in memory or in a user's files, which
    includes the split of its first seed, and none for a built-in data set.

    Args:
        graph: of the first seed.
        path: of the run folder.
        overwrite: replace an existing run.

    Raises:
        GraphKDError: the existing config is damaged.
    """
    resumed = not overwrite and (path / "config.yaml").is_file()
    old = read_config(path)["dataset"] if resumed else dict.fromkeys(CHECKSUMS)
    if "split_fingerprint" in old:
        return {key: graph.origin[key] for key in CHECKSUMS}
    return {"fingerprint": graph.fingerprint_of_0_1()} if "fingerprint" in old else {}


def read_config(path: Path) -> dict[str, Any]:
    """Reads the resolved config of a run.

    Raises:
        GraphKDError: ``path`` is not a run folder.
    """
    if path.parts[:1] == ("hf:",):
        raise GraphKDError(
            f"hf://{'/'.join(path.parts[1:])} is a bundle alone, and this needs its run with the data: give the "
            "run folder"
        )
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
    """Reads ``metrics.json`` of a finished run.

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
    """Returns whether all values that readers of runs rely on are present."""
    try:
        seeds = metrics["seeds"]
        parts = [seed["student"] for seed in seeds]
        parts += [seed["teacher"] for seed in seeds if metrics["teacher"] != "none"]
        scores = [part[at] for part in parts for at in ("val", "test")]
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
        old_value, new_value = old.get(key, LATER.get(f"{prefix}{key}")), new.get(key)
        if isinstance(new_value, dict) and (isinstance(old_value, dict) or key not in old):
            nested = _first_difference(old_value or {}, new_value, f"{prefix}{key}.")
            if nested:
                return nested
        elif old_value != new_value:
            return f"{prefix}{key}"
    return ""
