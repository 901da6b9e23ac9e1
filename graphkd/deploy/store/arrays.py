"""Memory-mapped arrays of a store's files, for reading."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.store.layout import ENTRY, INDEX, NEXT_ID, Layout, node_type, position_type, read_layout
from graphkd.deploy.store.lists import Lists
from graphkd.errors import GraphKDError


@dataclass(frozen=True)
class Arrays:
    """The arrays of a store.

    Args:
        layout: of the files.
        header: ``[3]`` integers, see ``layout.HEADER``.
        hops: ``[capacity, P + 1, D]``: rows ``Ã^k X`` of each node, for ``k = 0 … P``.
        nodes: ``[capacity]``, see ``layout.node_type``.
        alive: ``[capacity]``, 0 for deleted nodes, and from the next id on.
        incoming: senders of each node.
        outgoing: receivers of each node; the same lists if the graph is undirected.
        positions: ``[capacity]``, see ``layout.position_type``; ``[0]`` if rows have none.
    """

    layout: Layout
    header: memoryview
    hops: NDArray[np.float32]
    nodes: NDArray[Any]
    alive: NDArray[np.uint32]
    incoming: Lists
    outgoing: Lists
    positions: NDArray[Any]

    @property
    def next_id(self) -> int:
        """The id of the next new node."""
        return int(self.header[NEXT_ID])


def open_arrays(folder: Path) -> Arrays:
    """Maps the files that the manifest lists.

    Raises:
        GraphKDError: there is no store, or a file of it is missing or too short.
    """
    layout = read_layout(folder)
    while True:
        try:
            return _mapped(folder, layout)
        except FileNotFoundError as error:  # replaced since the manifest was read?
            if layout == (current := read_layout(folder)):
                name = Path(error.filename).name
                raise GraphKDError(f"{folder} holds no {name}: build the store again") from None
            layout = current


def _mapped(folder: Path, layout: Layout) -> Arrays:
    settings = layout.settings
    maps = {name: _map(layout.path(folder, name), layout.size(name)) for name in layout.files()}
    hops = _records(maps, "hops", np.dtype(np.float32), layout.size("hops") // 4)
    nodes = np.frombuffer(maps["nodes"], node_type(settings.hops), layout.capacity)
    incoming = _lists(maps, "in", layout.capacity, layout.slots[0])
    return Arrays(
        layout,
        memoryview(maps["header"]).cast("q"),
        hops.reshape(layout.capacity, settings.hops + 1, settings.num_features),
        nodes,
        nodes["alive"],
        incoming,
        _lists(maps, "out", layout.capacity, layout.slots[1]) if settings.directed else incoming,
        _records(maps, "positions", position_type(settings.dim), layout.capacity),
    )


def _records(maps: dict[str, mmap.mmap], name: str, kind: np.dtype[Any], count: int) -> NDArray[Any]:
    """Returns ``[count]`` records of a file, ``[0]`` if the store has no such file."""
    return np.frombuffer(maps[name], kind, count) if name in maps else np.zeros(0, dtype=kind)


def _lists(maps: dict[str, mmap.mmap], which: str, capacity: int, slots: int) -> Lists:
    index, entries = maps[f"{which}.index"], maps[f"{which}.entries"]
    return Lists(np.frombuffer(index, INDEX, capacity), np.frombuffer(entries, ENTRY, slots))


def _map(path: Path, size: int) -> mmap.mmap:
    with path.open("rb") as file:
        length = file.seek(0, 2)
        if length < size:
            raise GraphKDError(f"{path} is cut off ({length} of {size} bytes): build the store again")
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
