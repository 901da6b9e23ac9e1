"""Reader of OGB data sets, from the parsed form in the cache or from the raw files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from graphkd.datasets.ogb.facts import Facts
from graphkd.datasets.ogb.folder import find_folder
from graphkd.datasets.ogb.parsed import load_parsed, parsed_file, save_parsed
from graphkd.datasets.ogb.raw import read_raw
from graphkd.datasets.ogb.split import read_split
from graphkd.datasets.source import Location
from graphkd.edges import both_directions

if TYPE_CHECKING:
    from torch_geometric.data import Data

FORM = "1"
"""Version of the parsed files; to be increased when their contents change."""


def read_ogb(facts: Facts, location: Location) -> Data:
    """Reads the graph with its official split.

    Edges are directed as in the files; if these list one direction of each edge (ogbn-products, ogbn-proteins),
    both are included, sorted. The raw files are parsed once; ``cache_dir/parsed`` holds the result for later runs.

    Args:
        facts: of the data set.
        location: of its files and the cache.

    Returns:
        ``Data`` with ``x [N, D]`` float32, ``edge_index [2, E]``, ``y [N]`` (−1 where unknown) or, for several
        labels per node, ``y [N, L]`` float32 (NaN where unknown), three masks ``[N]`` and ``class_names``.

    Raises:
        GraphKDError: the files are unavailable, damaged, or do not contain such a graph.
    """
    from torch_geometric.data import Data

    folder = find_folder(location, facts)
    files = [folder / name for name in facts.graph_files]
    path = parsed_file(location.cache_dir, facts.name, files, FORM)
    parts = load_parsed(path)
    if parts is None:
        parts = _parse(folder, facts)
        save_parsed(path, parts)
    num_nodes = parts["x"].shape[0]
    names = [str(number) for number in range(facts.num_outputs)]
    return Data(
        x=parts["x"],
        edge_index=parts["edge_index"].long(),
        y=parts["y"].long() if facts.num_tasks == 1 else parts["y"],
        class_names=names,
        **read_split(folder, facts, num_nodes),
    )


def _parse(folder: Path, facts: Facts) -> dict[str, Tensor]:
    """Parses the raw files into the cached form, with ids as int32, which halves the largest part."""
    parts = read_raw(folder, facts)
    edges = parts.pop("edge_index")
    if facts.add_inverse_edge:
        sender, receiver = edges.numpy()
        ends = both_directions(sender, receiver, None, parts["x"].shape[0])[:2]
        del sender, receiver
        edges = torch.stack([torch.from_numpy(end.astype(np.int32)) for end in ends])
    y = parts["y"].int() if facts.num_tasks == 1 else parts["y"]
    return {"x": parts["x"], "y": y, "edge_index": edges.int()}
