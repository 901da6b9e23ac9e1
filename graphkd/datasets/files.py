"""Finds raw files in the user's folder or in our cache, or downloads them."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from graphkd.datasets.source import Location, RawFiles
from graphkd.errors import GraphKDError


def search_raw(location: Location, raw: RawFiles) -> tuple[Path, list[str]]:
    """Where a data set's files are, and which of them are missing there; nothing is read or written.

    They are looked for in ``raw.folder`` in ``data_dir`` (PyG's layout, any case), also without the first part of
    it, and in the cache.

    Returns:
        The first folder that holds any of them and the names of those it lacks; where none does, the folder
        they belong into, and all.
    """
    parts = (raw.folder, raw.folder.partition("/")[2])
    places = [_insensitive(location.data_dir, part) for part in parts]
    for place in [*places, location.cache_dir / raw.folder]:
        missing = [file for file in raw.files if not (place / file).is_file()]
        if len(missing) < len(raw.files):
            return place, missing
    return places[0], list(raw.files)


def search_readable(location: Location, raw: RawFiles) -> tuple[Path, list[str]]:
    """``search_raw``, for a run: a folder that may not be looked into is refused in one line."""
    try:
        return search_raw(location, raw)
    except OSError as error:
        raise GraphKDError(
            f"{error.filename}: {error.strerror}: let it be read, or give another data_dir"
        ) from None


def find_raw(location: Location, name: str, raw: RawFiles, url: str = "") -> Path:
    """The folder that holds all files, as ``search_raw`` finds it.

    The user's folder is never written to; a download goes to the cache.

    Args:
        location: folders and the permission to download.
        name: of the data set, for messages.
        raw: the files.
        url: address of the folder that serves them, used after permission only; nothing where they have a home.

    Raises:
        GraphKDError: the files are not there and may not, or cannot, be fetched.
    """
    place, missing = search_readable(location, raw)
    if not missing:
        return place
    if len(missing) < len(raw.files):
        raise GraphKDError(incomplete(place, missing))
    if raw.home or not may_download(location, name):
        there = "is no folder" if location.data_dir.exists() else "does not exist"
        state = "" if location.data_dir.is_dir() else f", which {there}"
        names = "its files" if len(raw.files) > 1 else raw.files[0]
        raise GraphKDError(
            f"{name} is not in data_dir={location.data_dir}{state}: put {names} into {place}{way_to_get(raw)}"
        )
    cached = location.cache_dir / raw.folder
    _download(url, list(raw.files), cached)
    return cached


def incomplete(place: Path, missing: list[str]) -> str:
    """The line for a folder that lacks some of its files."""
    return f"{place} is incomplete, {missing[0]} is missing: fetch it again"


def way_to_get(raw: RawFiles) -> str:
    """How else than by copying files a user comes to them, or where from."""
    return f" ({raw.home})" if raw.home else ", or allow download=yes"


def _insensitive(root: Path, folder: str) -> Path:
    """``root/folder``, each part in the case in which it is there."""
    for part in folder.split("/"):
        entries = sorted(root.iterdir()) if root.is_dir() else []
        found = [entry for entry in entries if entry.name.lower() == part.lower() and entry.is_dir()]
        root = found[0] if found else root / part
    return root


def may_download(location: Location, name: str) -> bool:
    """Whether a user allows it: ``download=yes``, or their answer where somebody can give one."""
    if location.download == "ask" and sys.stdin is not None and sys.stdin.isatty():
        return input(f"Download {name} to {location.cache_dir}? [y/N] ").strip().lower() in ("y", "yes")
    return location.download == "yes"


def _download(url: str, files: list[str], raw: Path) -> None:
    from torch_geometric.data import download_url

    raw.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=raw.parent) as folder:
        for file in files:
            try:
                download_url(f"{url}/{file}", folder, log=False)
            except OSError as error:
                raise GraphKDError(
                    f"{file} could not be downloaded ({error}): connect, or put the files into {raw}"
                ) from None
        (Path(folder) / "done").mkdir()
        for file in files:
            (Path(folder) / file).rename(Path(folder) / "done" / file)
        (Path(folder) / "done").rename(raw)
