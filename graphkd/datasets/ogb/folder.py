"""Finds the folder of an OGB data set, or fetches it, without OGB's questions on the terminal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from graphkd.datasets.files import find_raw, may_download, search_readable
from graphkd.datasets.ogb.download import fetch
from graphkd.datasets.ogb.facts import Facts
from graphkd.datasets.source import Location
from graphkd.errors import GraphKDError


def find_folder(location: Location, facts: Facts) -> Path:
    """The folder with ``raw``, ``split`` and the release note, as ``find_raw`` looks for it.

    Raises:
        GraphKDError: it is not there and may not, or cannot, be fetched; it is incomplete, or of another release.
    """
    raw = facts.raw
    place, missing = search_readable(location, raw)
    if len(missing) == len(raw.files):
        _check_half(location, facts)
        if may_download(location, f"{facts.name} (about {facts.download_gb:g} GB)"):
            return fetch(facts, location.cache_dir / raw.folder)
    elif raw.files[0] in missing:
        _refuse_release(place, facts)
    return find_raw(replace(location, download="never"), facts.name, raw)  # asked already


def _check_half(location: Location, facts: Facts) -> None:
    """A download that was not finished by hand: the archive, or the folder under the name that it has in there."""
    name = facts.raw.folder.partition("/")[2]
    for root in (location.data_dir, location.data_dir / "OGB"):
        if (root / facts.archive / "raw").is_dir():
            raise GraphKDError(f"{root / facts.archive} is {facts.name} under another name: rename it to {name}")
        if (root / f"{facts.archive}.zip").is_file():
            raise GraphKDError(
                f"{root / facts.archive}.zip is there, but not unpacked: unpack it and rename the folder "
                f"{facts.archive} to {name}, or fetch it again if it is damaged"
            )


def _refuse_release(place: Path, facts: Facts) -> None:
    wanted = facts.raw.files[0]
    others = sorted(file.name for file in place.glob("RELEASE_v*.txt"))
    state = f"is another release ({others[0]})" if others else "has no release note, so its download was cut short"
    raise GraphKDError(f"{place} {state}: fetch {facts.name} again, its folder holds {wanted}")
