"""The data and the cache that a composed config names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from graphkd.api import load_dataset, pick_device
from graphkd.config import cluster_of, resolved
from graphkd.datasets import Graph
from graphkd.datasets.loading import locate
from graphkd.datasets.scale import scaled_name
from graphkd.distributed import world
from graphkd.outofcore import TableOptions
from graphkd.runs import data_checksums
from graphkd.training.stages.stage_cache import StageCache

if TYPE_CHECKING:
    from torch_geometric.data import Data


def cache_of(config: DictConfig) -> StageCache:
    """Returns the cache of finished stages for a composed config, with its options for tables."""
    folder = locate(config.data_dir, config.cache_dir, config.download).cache_dir
    return StageCache(folder, TableOptions(config.memory_budget, config.table_dtype, cluster_of(config)))


def load_graph(config: DictConfig, seed: int) -> Graph:
    """Loads the data that a composed config names, with the split of one seed, checked and on its device.

    Raises:
        GraphKDError: unavailable or invalid data, or an unknown device.
    """
    device = pick_device(config.device)
    return Graph.from_data(load_data(config, seed)).to(device)


def load_data(config: DictConfig, seed: int) -> Data:
    """Loads the data that a composed config names, with the split of one seed; of links, without labels and masks.

    Raises:
        GraphKDError: unavailable or invalid data.
    """
    dataset = OmegaConf.to_container(config.dataset, resolve=True)
    assert isinstance(dataset, dict)
    keys: dict[str, Any] = {str(key): value for key, value in dataset.items() if key != "name"}
    folders = {key: config[key] for key in ("data_dir", "cache_dir", "download")}
    return world().rank0_first(lambda: load_dataset(config.dataset.name, seed=seed, **keys, **folders))


def name_of_data(config: DictConfig) -> str:
    """Returns the data set's name, with its scale where that is not 1; the folder's name for a user's own data."""
    path, scale = config.dataset.path, config.dataset.scale
    return scaled_name(config.dataset.name, scale) if path is None else Path(path).expanduser().resolve().name


def run_settings(config: DictConfig, seeds: list[int], first: Graph, run_path: Path) -> dict[str, Any]:
    """Returns the contents of ``config.yaml``: all keys resolved, absolute paths, and checksums of the data."""
    settings = settings_of(config, seeds)
    if config.dataset.path is not None:
        settings["dataset"]["split"] = first.origin["split"]
    settings["dataset"].update(data_checksums(first, run_path, config.overwrite))
    return settings


def settings_of(config: DictConfig, seeds: list[int]) -> dict[str, Any]:
    """Returns all keys of a composed config, resolved, with absolute paths."""
    settings = resolved(config, seeds)
    settings["data_dir"] = str(Path(config.data_dir).expanduser().absolute())
    if config.dataset.path is not None:
        settings["dataset"]["path"] = str(Path(config.dataset.path).expanduser().absolute())
    return settings
