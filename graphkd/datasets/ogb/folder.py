"""Lookup or download of the folder of an OGB data set, without OGB's prompts on the terminal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from graphkd.datasets.files import find_raw, may_download, search_readable
from graphkd.datasets.ogb.download import fetch
from graphkd.datasets.ogb.facts import Facts
from graphkd.datasets.source import Location
from graphkd.errors import GraphKDError


def find_folder(location: Location, facts: Facts) -> Path:
    """Returns the folder with ``raw``, ``split`` and the release note, see ``find_raw``.

    Raises:
        GraphKDError: it is missing and its download is not allowed or fails, it is incomplete, or of another
            release.
    """
    raw = facts.raw
    folder, missing = search_readable(location, raw)
    if len(missing) == len(raw.files):
        _check_half(location, facts)
        if may_download(location, f"{facts.name} (about {facts.download_gb:g} GB)"):
            return fetch(facts, location.cache_dir / raw.folder)
    elif raw.files[0] in missing:
        _refuse_release(folder, facts)
    return find_raw(replace(location, download="never"), facts.name, raw)  # the prompt was shown before


def _check_half(location: Location, facts: Facts) -> None:
    """Raises for an incomplete manual download: the packed archive, or the folder under the archive's name."""
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
    expected = facts.raw.files[0]
    releases = sorted(file.name for file in place.glob("RELEASE_v*.txt"))
    state = (
        f"is another release ({releases[0]})" if releases else "has no release note, so its download was cut short"
    )
    raise GraphKDError(f"{place} {state}: fetch {facts.name} again, its folder holds {expected}")
