"""Cora and CiteSeer in the version of CPF, GLNN and NOSMOG."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from graphkd.datasets.files import find_raw
from graphkd.datasets.npz import read_graph
from graphkd.datasets.source import Location, RawFiles, Source

if TYPE_CHECKING:
    from torch_geometric.data import Data

HOME = "https://github.com/BUPT-GAMMA/CPF, folder data/npz"


def _raw(name: str) -> RawFiles:
    return RawFiles("CPF/npz", (f"{name}.npz",), HOME)


def _read(name: str, location: Location) -> Data:
    """Reads the whole graph with its stored features; the split ``cpf`` selects the largest component."""
    raw = _raw(name)
    return read_graph(find_raw(location, f"cpf_{name}", raw) / raw.files[0])


cpf_cora, cpf_citeseer = (
    Source(
        name=f"cpf_{name}",
        paper="Yang et al., Extract the Knowledge of Graph Neural Networks and Go Beyond it (CPF), WWW 2021",
        splits=("cpf", "random", "fractions"),
        row_normalize=False,
        read=partial(_read, name),
        raw=_raw(name),
    )
    for name in ("cora", "citeseer")
)
