"""The data that a run was made from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from graphkd import datasets
from graphkd.api import load_dataset
from graphkd.datasets import Graph
from graphkd.errors import GraphKDError
from graphkd.names import catalogue
from graphkd.runs import read_config

if TYPE_CHECKING:
    from torch_geometric.data import Data


def own_data(path: Path, seed: int, data_dir: str | None) -> Data:
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
    fingerprint = chosen.pop("fingerprint", None)
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
    data = load_dataset(name, seed=seed, download="never", **chosen, **places)
    # The split is part of it, and it is that of the first seed.
    if fingerprint is not None and seed == first and Graph.from_data(data).fingerprint() != fingerprint:
        raise GraphKDError(
            f"{path} was trained on other data than {name} holds now, since features, edges, labels or masks were "
            "changed: load its bundle and predict on your rows, or train it again"
        )
    return data
