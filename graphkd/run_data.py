"""Loading of the data that a run was trained on."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphkd import datasets
from graphkd.api import load_dataset
from graphkd.datasets import Graph
from graphkd.errors import GraphKDError
from graphkd.registry import catalogue
from graphkd.runs import CHECKSUMS, read_config

if TYPE_CHECKING:
    from torch_geometric.data import Data


INSTEAD = "load its bundle and predict on your rows"
"""Advice for runs whose data cannot be loaded."""


def load_run_data(path: Path, seed: int, data_dir: str | None, instead: str = INSTEAD) -> Data:
    """Loads a run's data, with the split of one seed.

    Args:
        path: folder of the run.
        seed: of the run.
        data_dir: folder of the files, if they have moved.
        instead: advice if the data were in memory.

    Raises:
        GraphKDError: the run was trained on data in memory, its files are unavailable, or their contents changed.
    """
    config = read_config(path)
    arguments = dict(config["dataset"])
    name = arguments.pop("name")
    recorded = {key: arguments.pop(key) for key in CHECKSUMS if key in arguments}
    if arguments.get("in_memory") or name not in catalogue(datasets):
        raise GraphKDError(f"{path} was trained on data in memory ({name}): {instead}")
    if name == "custom":
        arguments.setdefault("columns", "none")  # of a run before tables were encoded
    folders = {key: config[key] for key in ("data_dir", "cache_dir") if config.get(key)}
    if data_dir is not None:
        folders["data_dir"] = data_dir
        if arguments.get("path") is not None:
            arguments["path"] = data_dir
    first = arguments.get("seed", config["seeds"][0])
    seed = arguments.pop("seed", seed)
    load = functools.partial(load_dataset, name, download="never", **arguments, **folders)
    data = load(seed=seed)
    if _is_other(recorded, data, seed == first, lambda: load(seed=first)):
        raise GraphKDError(
            f"{path} was trained on other data than {name} holds now, since features, edges, labels or masks were "
            f"changed: {INSTEAD}, or train it again"
        )
    return data


def check_run_data(path: Path, data: Data) -> None:
    """Checks that data in memory are those that a run was trained on.

    Raises:
        GraphKDError: they are not.
    """
    recorded, found = read_config(path)["dataset"], Graph.from_data(data).origin
    if any(recorded[key] != found.get(key) for key in CHECKSUMS if key in recorded):
        raise GraphKDError(
            f"{path} was trained on other data than these, since features, edges, labels or masks differ: give "
            "the run's own"
        )


def _is_other(recorded: dict[str, Any], data: Data, is_first: bool, first: Callable[[], Data]) -> bool:
    """Returns whether data differ from the recorded checksums; of the splits only the first seed's is recorded."""
    if recorded.keys() == {"fingerprint"}:  # of version 0.1, which includes the split of the first seed
        graph = Graph.from_data(data if is_first else first())
        return bool(graph.fingerprint_of_0_1() != recorded["fingerprint"])
    compared = [key for key in recorded if is_first or key == "fingerprint"]
    return any(data.graphkd[key] != recorded[key] for key in compared)
