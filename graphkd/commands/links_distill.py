"""``graphkd distill … dataset.task=link``."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from graphkd.commands.table import print_table
from graphkd.config import tracker_of
from graphkd.config_data import load_data, name_of_data, settings_of
from graphkd.config_links import link_spec_from
from graphkd.errors import GraphKDError
from graphkd.links.graph import LinkGraph
from graphkd.links.seed_run import LinkSeedRun, facts_of
from graphkd.links.spec import LinkSpec
from graphkd.runs import CHECKSUMS, RunFolder, read_metrics
from graphkd.training.seeds import parse_seeds

if TYPE_CHECKING:
    from torch_geometric.data import Data


def run_links(config: DictConfig, place: Callable[[str], Path]) -> None:
    """Trains every seed of one config of links into its run folder and prints the table.

    Args:
        config: composed, with ``dataset.task=link``.
        place: name of the run → its folder.

    Raises:
        GraphKDError: invalid data, values or folder; nothing has been written then.
    """
    seeds, spec = parse_seeds(config.seeds), link_spec_from(config)
    if tracker_of(config):
        raise GraphKDError("tracker is for runs of nodes: leave it out for links")
    data = load_data(config, seeds[0])
    origin = {
        "dataset": name_of_data(config),
        "split": data.graphkd["split"],
        "directed": data.graphkd["directed"],
    }
    name = "-".join((origin["dataset"], "link", spec.setting, *(spec.names[key] for key in ("teacher", "method"))))
    settings = settings_of(config, seeds)
    settings["dataset"].update({key: data.graphkd[key] for key in CHECKSUMS})
    folder = RunFolder(place(name), settings, config.overwrite)
    if not folder.finished:
        for seed in seeds:
            folder.add(seed, functools.partial(_train, data, spec, seed, origin, bool(config.baseline)))
        folder.finish(facts_of(origin, spec))
    print_table(read_metrics(folder.path), folder.path)


def _train(data: Data, spec: LinkSpec, seed: int, origin: dict[str, Any], baseline: bool) -> LinkSeedRun:
    graph = LinkGraph.from_data(data, seed, spec.setting)
    result = LinkSeedRun.train(graph, spec, seed, origin, baseline)
    if not sys.stderr.isatty():
        for stage, fit in result.result.fits.items():
            print(f"graphkd: seed {seed}: {stage}, {fit.seconds:.1f} s", file=sys.stderr, flush=True)
    return result
