"""Checks of the folders that runs read and write: data sets, cache, disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from graphkd.doctor.line import Line, reason
from graphkd.system import free_disk, readable

if TYPE_CHECKING:
    from graphkd.datasets.source import Location, RawFiles, Source


def data_sets(data_dir: str, cache_dir: str | None) -> list[Line]:
    """Returns a line for the folder, and one per data set: its path, or which files to put where."""
    from graphkd import datasets
    from graphkd.datasets.loading import locate
    from graphkd.registry import catalogue

    location = locate(data_dir, cache_dir, "never")
    sources = [part for part in catalogue(datasets).values() if isinstance(part, datasets.Source)]
    return [_folder(location.data_dir), *(_data_set(source, location) for source in sources)]


def cache(cache_dir: str | None) -> list[Line]:
    """Returns a line for the cache folder and its contents, and one for the free space on its disk."""
    from graphkd.datasets.loading import locate
    from graphkd.training.stages.stage_cache import StageCache

    root = locate("data", cache_dir, "never").cache_dir
    if not root.exists():
        line = Line("note", "cache folder", f"{root} is not there yet: a run makes it")
    elif not (root.is_dir() and os.access(root, os.R_OK | os.W_OK | os.X_OK)):
        line = Line("broken", "cache folder", f"{root} may not be read or written to: give --cache-dir DIR")
    else:
        files, tables = StageCache(root).files, list(root.glob("tables/*/*"))
        size, table_size = (readable(sum(file.stat().st_size for file in part)) for part in (files, tables))
        contents = f"{len(files)} finished stages, {size}" + (f", and tables, {table_size}" if tables else "")
        line = Line("ok", "cache folder", f"{root}: {contents}; may be deleted at any time")
    return [line, disk("cache disk", root)]


def disk(name: str, place: Path) -> Line:
    """Returns a line with the free space at a path."""
    free = free_disk(place)
    if free is None:
        return Line("broken", name, f"free space at {place} is unknown")
    return Line("ok", name, f"{readable(free)} free")


def _folder(folder: Path) -> Line:
    if not folder.is_dir():
        return Line("missing", "data folder", f"{folder} does not exist: give --data-dir DIR")
    return Line("ok", "data folder", str(folder))


def _data_set(source: Source, location: Location) -> Line:
    from graphkd.datasets.files import incomplete, search_raw, way_to_get

    if source.raw is None:
        custom = "masks" in source.splits
        return Line("note" if custom else "ok", source.name, source.paper if custom else "needs no files")
    try:
        folder, missing = search_raw(location, source.raw)
    except OSError as error:
        return Line("broken", source.name, f"{reason(error)}: let it be read, or give --data-dir DIR")
    if not missing:
        return Line("ok", source.name, str(folder))
    if len(missing) < len(source.raw.files):
        return Line("broken", source.name, incomplete(folder, missing))
    return Line("missing", source.name, f"put {_listed(source.raw)} into {folder}{way_to_get(source.raw)}")


def _listed(raw: RawFiles) -> str:
    """Formats the names of the files, with their common prefix once: ``ind.cora.{x,y}``."""
    if len(raw.files) == 1:
        return raw.files[0]
    common = os.path.commonprefix(raw.files)  # noqa: RUF071 - names, not paths
    return f"{common}{{{','.join(file.removeprefix(common) for file in raw.files)}}}"
