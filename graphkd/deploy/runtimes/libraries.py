"""Compiled libraries in a folder that is one user's alone; each carries a checksum, which is compared first."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from graphkd.atomic_io import sha256_of
from graphkd.drafts import sync
from graphkd.errors import GraphKDError


def private_folder(root: Path, name: str) -> Path:
    """A folder of this user's that nobody else may enter; beside that of another user in a cache that is shared.

    Raises:
        GraphKDError: both names are somebody else's.
        OSError: none can be made.
    """
    root.mkdir(parents=True, exist_ok=True)
    for place in (root / name, root / f"{name}-{os.geteuid()}"):
        with suppress(FileExistsError):
            place.mkdir(mode=0o700)
        state = place.lstat()
        if stat.S_ISDIR(state.st_mode) and state.st_uid == os.geteuid():
            if stat.S_IMODE(state.st_mode) != 0o700:
                place.chmod(0o700)
            return place
    raise GraphKDError(f"{place} belongs to another user: set GRAPHKD_CACHE to a folder of your own")


def find(folder: Path, key: str) -> Path | None:
    """The library of this key that is whole and this user's; others of the key are removed."""
    for place in sorted(folder.glob(f"{key}-*.so")):
        if _own(place) and place.name == _name(key, place.read_bytes()):
            return place
        place.unlink(missing_ok=True)
    return None


def keep(library: Path, folder: Path, key: str) -> Path:
    """Puts a new library into the folder, once it is on the disk.

    Returns:
        Where it is.
    """
    place = folder / _name(key, library.read_bytes())
    sync(library)
    os.replace(library, place)
    sync(folder)
    return place


def _name(key: str, content: bytes) -> str:
    """A checksum of the content stands in the name, so that a library and its checksum appear in one step."""
    return f"{key}-{sha256_of([key.encode(), content])[:32]}.so"


def _own(place: Path) -> bool:
    state = place.lstat()
    return stat.S_ISREG(state.st_mode) and state.st_uid == os.geteuid()
