"""Amazon and co-author graphs from PyG's raw layout, with features as stored."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from graphkd.datasets.files import find_raw
from graphkd.datasets.npz import read_graph
from graphkd.datasets.source import Location, RawFiles, Source

if TYPE_CHECKING:
    from torch_geometric.data import Data


def _read(name: str, raw: RawFiles, location: Location) -> Data:
    """Reads the graph with features as counts or weights: unlike in PyG's loader, not binarised and sparse."""
    from torch_geometric import datasets

    url: str = getattr(datasets, raw.folder.partition("/")[0]).url
    return read_graph(find_raw(location, name, raw, url.rstrip("/")) / raw.files[0])


_PAPER = "Shchur et al., Pitfalls of Graph Neural Network Evaluation, 2018"

photo, computers, cs, physics = (
    Source(
        name=name,
        paper=_PAPER,
        splits=("random", "cpf", "fractions"),
        row_normalize=False,
        read=partial(_read, name, raw),
        raw=raw,
    )
    for name, raw in (
        ("photo", RawFiles("Amazon/Photo/raw", ("amazon_electronics_photo.npz",))),
        ("computers", RawFiles("Amazon/Computers/raw", ("amazon_electronics_computers.npz",))),
        ("cs", RawFiles("Coauthor/CS/raw", ("ms_academic_cs.npz",))),
        ("physics", RawFiles("Coauthor/Physics/raw", ("ms_academic_phy.npz",))),
    )
)
