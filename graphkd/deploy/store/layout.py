"""Files of a store, and the manifest that lists them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from graphkd.atomic_io import check_schema, read_json, seal
from graphkd.deploy.description import STORE
from graphkd.deploy.store import disk
from graphkd.deploy.store.settings import Settings
from graphkd.errors import GraphKDError

SCHEMA_VERSION = 1
MANIFEST, JOURNAL, LOCK = "manifest.json", "journal", "lock"

HEADER = 3
"""Number of integers in ``header``: sequence number, odd during a write to the arrays; layout; next id."""
SEQUENCE, LAYOUT, NEXT_ID = range(HEADER)

FILES = ("header", "hops", "nodes", "in.index", "in.entries", "out.index", "out.entries", "positions")
"""Files, in the order of their indices in the journal; see ``Layout.files`` for those that a store has."""

BY_NODE = ("hops", "nodes", "positions")
"""Files with a record per node, which are extended in place."""

OPTIONAL = {"feature_names": None, "dim": 0, "positions": None, "encoding": None}
"""Settings that a manifest may lack → their defaults."""

INDEX = np.dtype([("start", "<i8"), ("length", "<i4"), ("room", "<i4"), ("crc", "<u4"), ("unused", "<u4")])
"""Location of a node's neighbours among the entries; ``crc`` covers those in use."""

ENTRY = np.dtype([("node", "<i8"), ("weight", "<f8")])
"""One neighbour; ids ascend within a node's list."""


def node_type(hops: int) -> np.dtype[Any]:
    """Returns the dtype of ``nodes``: degree and diagonal of ``A + s I``, alive flag, a checksum per hop."""
    return np.dtype([("degree", "<f8"), ("diagonal", "<f8"), ("alive", "<u4"), ("crc", "<u4", (hops + 1,))])


def position_type(dim: int) -> np.dtype[Any]:
    """Returns the dtype of ``positions``: whether a node was observed, and its vector; zeros for others."""
    return np.dtype([("observed", "<u4"), ("crc", "<u4"), ("vector", "<f4", (dim,))])


@dataclass(frozen=True)
class Layout:
    """Content of ``manifest.json``.

    Args:
        settings: of the store.
        number: incremented whenever files are replaced or extended.
        capacity: number of nodes allocated.
        slots: number of entries allocated, in the lists of senders and in those of receivers.
        ids_sha256: digest of the file of node ids, or None without ids, which omits the key.
    """

    settings: Settings
    number: int
    capacity: int
    slots: tuple[int, int]
    ids_sha256: str | None = None

    def files(self) -> tuple[str, ...]:
        """Returns the names of the files that a store of these settings has."""
        settings = self.settings
        unused = {
            "hops": settings.num_features == 0,
            "out.index": not settings.directed,
            "out.entries": not settings.directed,
            "positions": settings.dim == 0,
        }
        return tuple(name for name in FILES if not unused.get(name, False))

    def path(self, folder: Path, name: str) -> Path:
        """Returns the path of a file; names of lists, which are replaced when they grow, end in ``number``."""
        return folder / (f"{name}-{self.number}" if "." in name else name)

    def size(self, name: str) -> int:
        """Returns the size of a file in bytes."""
        settings = self.settings
        sizes = {
            "header": 8 * HEADER,
            "hops": 4 * self.capacity * (settings.hops + 1) * settings.num_features,
            "nodes": node_type(settings.hops).itemsize * self.capacity,
            "in.index": INDEX.itemsize * self.capacity,
            "in.entries": ENTRY.itemsize * self.slots[0],
            "out.index": INDEX.itemsize * self.capacity,
            "out.entries": ENTRY.itemsize * self.slots[1],
            "positions": position_type(settings.dim).itemsize * self.capacity,
        }
        return sizes[name]

    def grown(self, capacity: int, slots: tuple[int, int]) -> Layout:
        """Returns the next layout."""
        return replace(self, number=self.number + 1, capacity=capacity, slots=slots)

    def write(self, folder: Path) -> None:
        """Writes the manifest, atomically."""
        content = {"schema_version": SCHEMA_VERSION, **asdict(self)}
        for name, default in OPTIONAL.items():  # left out, so that older versions read the store
            if content["settings"][name] == default:
                del content["settings"][name]
        if self.ids_sha256 is None:
            del content["ids_sha256"]
        text = json.dumps({**content, "checksum": seal(content)}, indent=2) + "\n"
        disk.publish(folder / MANIFEST, text.encode())


def read_layout(folder: Path) -> Layout:
    """Reads the manifest of a store.

    Raises:
        GraphKDError: there is none, it was modified, or its schema version differs.
    """
    content = read_json(folder / MANIFEST, "a feature store")
    check_schema(folder, content, SCHEMA_VERSION, "feature store", "build")
    if content.get("checksum") != seal(content):
        raise GraphKDError(f"{folder / MANIFEST} was changed after it was written: build the store again")
    STORE.check(content, folder / MANIFEST)
    names = content["settings"].pop("feature_names", None)
    settings = Settings(**content["settings"], feature_names=None if names is None else tuple(names))
    slots = content["slots"][0], content["slots"][1]
    return Layout(settings, content["number"], content["capacity"], slots, content.get("ids_sha256"))
