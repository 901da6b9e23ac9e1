"""The data that a run was made from."""

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


def custom_data(path: Path, seed: int, data_dir: str | None) -> Data:
    """Loads it again, with the split of one seed.

    Args:
        path: folder of the run.
        seed: of the run.
        data_dir: where the files are now, if they have moved.

    Raises:
        GraphKDError: the run was made from data in memory, its files cannot be had, or they hold other data now.
    """
    config = read_config(path)
    chosen = dict(config["dataset"])
    name = chosen.pop("name")
    recorded = {key: chosen.pop(key) for key in CHECKSUMS if key in chosen}
    if chosen.get("in_memory") or name not in catalogue(datasets):
        raise GraphKDError(
            f"{path} was trained on data in memory ({name}): load its bundle and predict on your rows"
        )
    places = {key: config[key] for key in ("data_dir", "cache_dir") if config.get(key)}
    if data_dir is not None:
        places["data_dir"] = data_dir
        if chosen.get("path") is not None:
            chosen["path"] = data_dir
    first = chosen.get("seed", config["seeds"][0])
    seed = chosen.pop("seed", seed)
    load = functools.partial(load_dataset, name, download="never", **chosen, **places)
    data = load(seed=seed)
    if _is_other(recorded, data, seed == first, lambda: load(seed=first)):
        raise GraphKDError(
            f"{path} was trained on other data than {name} holds now, since features, edges, labels or masks were "
            "changed: load its bundle and predict on your rows, or train it again"
        )
    return data


def _is_other(recorded: dict[str, Any], data: Data, is_first: bool, first: Callable[[], Data]) -> bool:
    """Whether data is not what was recorded; of the splits only that of the first seed is."""
    if recorded.keys() == {"fingerprint"}:  # of version 0.1, which includes the split of the first seed
        graph = Graph.from_data(data if is_first else first())
        return bool(graph.fingerprint_of_0_1() != recorded["fingerprint"])
    compared = [key for key in recorded if is_first or key == "fingerprint"]
    return any(data.graphkd[key] != recorded[key] for key in compared)
