"""The data that a run was made from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from graphkd import datasets
from graphkd.api import load_dataset
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
        GraphKDError: the run was made from data in memory, or its files cannot be had.
    """
    config = read_config(path)
    chosen = dict(config["dataset"])
    name = chosen.pop("name")
    chosen.pop("fingerprint", None)
    if chosen.get("in_memory") or name not in catalogue(datasets):
        raise GraphKDError(
            f"{path} was trained on data in memory ({name}): load its bundle and predict on your rows"
        )
    places = {key: config[key] for key in ("data_dir", "cache_dir") if config.get(key)}
    if data_dir is not None:
        places["data_dir"] = data_dir
        if chosen.get("path") is not None:
            chosen["path"] = data_dir
    seed = chosen.pop("seed", seed)
    return load_dataset(name, seed=seed, download="never", **chosen, **places)
