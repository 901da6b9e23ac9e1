"""Lookup of raw files in the user's folder or the cache, and their download."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from graphkd.datasets.source import Location, RawFiles
from graphkd.errors import GraphKDError


def search_raw(location: Location, raw: RawFiles) -> tuple[Path, list[str]]:
    """Finds the folder of a data set's files, and which of them are missing; no file is read or written.

    The search covers ``raw.folder`` in ``data_dir`` (PyG's layout, case-insensitive), also without its first
    component, and the cache.

    Returns:
        The first folder that contains any of the files, and the names of the missing ones; if no folder does, the
        expected folder and all names.
    """
    parts = (raw.folder, raw.folder.partition("/")[2])
    folders = [_insensitive(location.data_dir, part) for part in parts]
    for folder in [*folders, location.cache_dir / raw.folder]:
        missing = [file for file in raw.files if not (folder / file).is_file()]
        if len(missing) < len(raw.files):
            return folder, missing
    return folders[0], list(raw.files)


def search_readable(location: Location, raw: RawFiles) -> tuple[Path, list[str]]:
    """Calls ``search_raw``; an unreadable folder raises a ``GraphKDError``."""
    try:
        return search_raw(location, raw)
    except OSError as error:
        raise GraphKDError(
            f"{error.filename}: {error.strerror}: let it be read, or give another data_dir"
        ) from None


def find_raw(location: Location, name: str, raw: RawFiles, url: str = "") -> Path:
    """Returns the folder that contains all files, see ``search_raw``; downloads them if allowed.

    The user's folder is never written to; downloads are stored in the cache.

    Args:
        location: folders and the permission to download.
        name: of the data set, for messages.
        raw: the files.
        url: base URL of the files, used after permission only; empty if ``raw.home`` is set.

    Raises:
        GraphKDError: files are missing, and their download is not allowed or fails.
    """
    folder, missing = search_readable(location, raw)
    if not missing:
        return folder
    if len(missing) < len(raw.files):
        raise GraphKDError(incomplete(folder, missing))
    if raw.home or not may_download(location, name):
        reason = "is no folder" if location.data_dir.exists() else "does not exist"
        state = "" if location.data_dir.is_dir() else f", which {reason}"
        names = "its files" if len(raw.files) > 1 else raw.files[0]
        raise GraphKDError(
            f"{name} is not in data_dir={location.data_dir}{state}: put {names} into {folder}{way_to_get(raw)}"
        )
    cached = location.cache_dir / raw.folder
    _download(url, list(raw.files), cached)
    return cached


def incomplete(place: Path, missing: list[str]) -> str:
    """Returns the error message for a folder without some of its files."""
    return f"{place} is incomplete, {missing[0]} is missing: fetch it again"


def way_to_get(raw: RawFiles) -> str:
    """Returns the part of an error message on the origin of the files, or on ``download=yes``."""
    return f" ({raw.home})" if raw.home else ", or allow download=yes"


def _insensitive(root: Path, folder: str) -> Path:
    """Returns ``root/folder``, with each component in the case of the existing folder."""
    for part in folder.split("/"):
        entries = sorted(root.iterdir()) if root.is_dir() else []
        matches = [entry for entry in entries if entry.name.lower() == part.lower() and entry.is_dir()]
        root = matches[0] if matches else root / part
    return root


def may_download(location: Location, name: str) -> bool:
    """Returns whether the user allows a download: ``download=yes``, or the answer on a terminal."""
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
