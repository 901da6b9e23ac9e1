"""Finds raw files in the person's folder or in our cache, or downloads them."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from graphkd.datasets.source import Location
from graphkd.errors import GraphKDError


def default_cache_dir() -> Path:
    """``$GRAPHKD_CACHE``, else ``graphkd`` in the user's cache folder."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("GRAPHKD_CACHE") or Path(home) / "graphkd")


def find_raw(location: Location, name: str, folder: str, files: list[str], url: str, served: bool = True) -> Path:
    """The folder that holds all of ``files``.

    It is looked for as ``folder`` in ``data_dir`` (PyG's layout, any case), also without the first part of
    ``folder``, and in the cache. The person's folder is never written to; a download goes to the cache.

    Args:
        location: folders and the permission to download.
        name: of the data set, for messages.
        folder: such as ``Planetoid/Cora/raw``.
        files: names of the raw files.
        url: address of the folder that holds them, used after permission only.
        served: ``url`` serves the files; otherwise it is where a person finds them.

    Raises:
        GraphKDError: the files are not there and may not, or cannot, be fetched.
    """
    places = [_insensitive(location.data_dir, part) for part in (folder, folder.partition("/")[2])]
    cached = location.cache_dir / folder
    for raw in [*places, cached]:
        missing = [file for file in files if not (raw / file).is_file()]
        if not missing:
            return raw
        if raw.is_dir() and len(missing) < len(files):
            raise GraphKDError(f"{raw} is incomplete, {missing[0]} is missing: fetch it again")
    if not (served and _may_download(location, name)):
        there = "is no folder" if location.data_dir.exists() else "does not exist"
        state = "" if location.data_dir.is_dir() else f", which {there}"
        way = ", or allow download=yes" if served else f" ({url})"
        raise GraphKDError(
            f"{name} is not in data_dir={location.data_dir}{state}: put {_listed(files)} into {places[0]}{way}"
        )
    _download(url, files, cached)
    return cached


def _listed(files: list[str]) -> str:
    return "its files" if len(files) > 1 else files[0]


def _insensitive(root: Path, folder: str) -> Path:
    """``root/folder``, each part in the case in which it is there."""
    for part in folder.split("/"):
        entries = sorted(root.iterdir()) if root.is_dir() else []
        found = [entry for entry in entries if entry.name.lower() == part.lower() and entry.is_dir()]
        root = found[0] if found else root / part
    return root


def _may_download(location: Location, name: str) -> bool:
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
