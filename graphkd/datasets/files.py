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


def find_raw(location: Location, family: str, name: str, files: list[str], url: str) -> Path:
    """The folder that holds all of ``files``.

    It is looked for in ``data_dir/FAMILY/NAME/raw``, ``data_dir/NAME/raw`` (PyG's layout, any case) and
    in the cache. The person's folder is never written to; a download goes to the cache.

    Args:
        location: folders and the permission to download.
        family: PyG's class, such as ``Planetoid``.
        name: PyG's name of the data set.
        files: names of the raw files.
        url: address of the folder that holds them, used after permission only.

    Raises:
        GraphKDError: the files are not there and may not, or cannot, be fetched.
    """
    places = [_insensitive(root, name) for root in (location.data_dir / family, location.data_dir)]
    cached = location.cache_dir / family / name
    for place in [*places, cached]:
        raw = place / "raw"
        missing = [file for file in files if not (raw / file).is_file()]
        if not missing:
            return raw
        if raw.is_dir() and len(missing) < len(files):
            raise GraphKDError(f"{raw} is incomplete, {missing[0]} is missing: fetch it again")
    if not _may_download(location, name):
        state = "" if location.data_dir.is_dir() else ", which does not exist"
        raise GraphKDError(
            f"{name.lower()} is not in data_dir={location.data_dir}{state}: put its files into "
            f"{places[0] / 'raw'}, or allow download=yes"
        )
    _download(url, files, cached / "raw")
    return cached / "raw"


def _insensitive(root: Path, name: str) -> Path:
    if root.is_dir():
        for entry in sorted(root.iterdir()):
            if entry.name.lower() == name.lower() and entry.is_dir():
                return entry
    return root / name


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
