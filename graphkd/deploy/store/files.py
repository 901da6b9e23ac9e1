"""Creation and growth of the files of a layout."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.store import disk
from graphkd.deploy.store.inputs import Ids
from graphkd.deploy.store.layout import ENTRY, INDEX, JOURNAL, LOCK, MANIFEST, Layout


def make(folder: Path, layout: Layout, name: str) -> int:
    """Opens a file with its full size, creating or extending it, and returns the handle."""
    handle = os.open(layout.path(folder, name), os.O_RDWR | os.O_CREAT, 0o666)
    try:
        disk.allocate(handle, layout.size(name))
    except BaseException:
        os.close(handle)
        raise
    return handle


def write_lists(
    folder: Path, layout: Layout, which: str, counts: Ids, checksums: NDArray[np.uint32], entries: NDArray[Any]
) -> None:
    """Writes neighbour lists without gaps.

    Args:
        folder: of the store.
        layout: of the files.
        which: ``in`` or ``out``.
        counts: ``[n]`` number of entries of each node.
        checksums: ``[n]``, of each node's entries.
        entries: ``[E]``, see ``layout.ENTRY``.
    """
    index = np.zeros(counts.size, dtype=INDEX)
    index["start"], index["length"], index["room"] = np.cumsum(counts) - counts, counts, counts
    index["crc"] = checksums
    for name, content in ((f"{which}.index", index), (f"{which}.entries", entries.astype(ENTRY, copy=False))):
        handle = make(folder, layout, name)
        try:
            disk.write(handle, content.tobytes(), 0)
            disk.sync(handle)
        finally:
            os.close(handle)


def sweep(folder: Path, layout: Layout) -> None:
    """Removes files left by a killed writer, and those of previous layouts."""
    current = {layout.path(folder, name).name for name in layout.files()} | {MANIFEST, JOURNAL, LOCK}
    for path in sorted(folder.iterdir()):
        if path.name not in current and path.name.split("-")[0] in (f".{MANIFEST}.new", *_LISTS):
            disk.remove(path)


_LISTS = ("in.index", "in.entries", "out.index", "out.entries")
