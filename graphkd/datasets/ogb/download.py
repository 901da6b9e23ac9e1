"""Atomic download of OGB's archives into the cache."""

from __future__ import annotations

import urllib.request
import zipfile
from pathlib import Path

from tqdm import tqdm

from graphkd.atomic_io import replace_folder
from graphkd.datasets.ogb.facts import Facts
from graphkd.drafts import draft_folder
from graphkd.errors import GraphKDError
from graphkd.system import free_disk, readable

CHUNK = 1 << 20


def fetch(facts: Facts, folder: Path) -> Path:
    """Downloads and unpacks the archive; the user has allowed it.

    It is unpacked under a temporary name beside ``folder`` and renamed at the end.

    Args:
        facts: of the data set.
        folder: in the cache, such as ``OGB/ogbn_arxiv``.

    Raises:
        GraphKDError: the connection fails, the disk is full, the transfer is incomplete, or the archive is wrong.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    _check_disk(facts, folder)
    with draft_folder(folder) as draft:
        archive = draft / f"{facts.archive}.zip"
        try:
            _transfer(facts.url, archive)
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(draft / "unpacked")
        except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
            raise GraphKDError(
                f"{facts.name} could not be downloaded from {facts.url} ({error}): connect, or put its files into "
                f"{folder}"
            ) from None
        unpacked = draft / "unpacked" / facts.archive
        if not (unpacked / "raw").is_dir():
            raise GraphKDError(f"{facts.url} holds no folder {facts.archive}/raw: it is another archive")
        replace_folder(unpacked, folder)
    return folder


def _transfer(url: str, file: Path) -> None:
    with urllib.request.urlopen(url, timeout=60) as source, file.open("wb") as target:
        size = int(source.headers.get("Content-Length") or 0)
        with tqdm(total=size or None, desc=file.name, unit="B", unit_scale=True, leave=False, disable=None) as bar:
            while chunk := source.read(CHUNK):
                target.write(chunk)
                bar.update(len(chunk))
    if size and file.stat().st_size != size:
        raise OSError(f"{file.stat().st_size} of {size} bytes came")


def _check_disk(facts: Facts, folder: Path) -> None:
    """Checks the disk space: the archive and its contents, which hardly compress, exist at the same time."""
    need, free = int(2e9 * facts.download_gb), free_disk(folder)
    if free is not None and need > free:
        raise GraphKDError(
            f"{facts.name} takes about {readable(need)} while it is unpacked, {readable(free)} are free in "
            f"{folder.parent}: free some, or choose another cache_dir"
        )
