"""Files that are either whole or absent, and say so when they were changed."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from graphkd.drafts import draft_file, umask
from graphkd.errors import GraphKDError
from graphkd.folders import replace_folder as replace_folder
from graphkd.folders import whole_folder as whole_folder


def as_path(given: Any, what: str) -> Path:
    """A path as a user gives it; ``~`` is expanded.

    Args:
        given: a text or a path.
        what: it is, for the error message.

    Raises:
        GraphKDError: it is neither, or empty.
    """
    if not isinstance(given, str | os.PathLike) or not os.fspath(given) or "\0" in str(given):
        raise GraphKDError(f"{what} is {given!r}: give a path")
    return Path(given).expanduser()


def default_cache_dir() -> Path:
    """``$GRAPHKD_CACHE``, else ``graphkd`` in the user's cache folder.

    Raises:
        GraphKDError: there is neither, nor a home.
    """
    if given := os.environ.get("GRAPHKD_CACHE"):
        return Path(given)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "graphkd"
    except RuntimeError:
        raise GraphKDError("this user has no home folder: set GRAPHKD_CACHE to a folder for the cache") from None


def check_writable(path: Path, what: str) -> None:
    """Refuses, before anything is computed, a path at which no folder can be made.

    Args:
        path: of the folder.
        what: the key that it is the value of, for the error message.
    """
    place = path.absolute()
    while not (place.exists() or place.is_symlink()):
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise GraphKDError(
            f"{path} cannot be made, {place} is no folder that can be written to: choose another {what}"
        )


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file under a temporary name, then renames it: readers see the old or the new one."""
    with whole_file(path) as draft:
        draft.write_bytes(content)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A file to fill; it takes the place of ``path`` when the block ends well, else it vanishes."""
    with draft_file(path) as draft:
        yield draft
        os.chmod(draft, 0o666 & ~umask())
        os.replace(draft, path)


def write_text(path: Path, text: str) -> None:
    """``write_bytes`` of UTF-8."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """``write_text`` of indented JSON."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def read_json(path: Path, what: str) -> dict[str, Any]:
    """The object in a JSON file.

    Args:
        path: of the file.
        what: the file is, for the error message.

    Raises:
        GraphKDError: the file is missing, or does not hold a JSON object.
    """
    return read_json_and_bytes(path, what)[0]


def read_json_and_bytes(path: Path, what: str) -> tuple[dict[str, Any], bytes]:
    """The object in a JSON file and the file's content, of one reading; see ``read_json``."""
    try:
        content = read_regular(path)
        value = json.loads(content.decode())
    except FileNotFoundError:
        raise GraphKDError(f"{path.parent} is not {what}: it holds no {path.name}") from None
    except (ValueError, OSError, RecursionError) as error:
        raise GraphKDError(f"{path} cannot be read ({error}): make it again") from None
    if not isinstance(value, dict):
        raise GraphKDError(f"{path} does not belong to {what}: make it again")
    return value, content


def read_regular(path: Path) -> bytes:
    """The content of a regular file; a pipe or a device would be waited for, or has no end.

    Raises:
        OSError: it is none.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError("it is no regular file")
    with os.fdopen(handle, "rb") as file:
        return file.read()


LARGEST_YAML, DEEPEST_YAML = 2**20, 50
"""Bytes of a file of settings, and levels of it."""


def plain_yaml(path: Path) -> str:
    """The text of a YAML file without aliases, which a few lines can make into more than memory holds.

    Raises:
        ValueError: it has aliases, nests deeply, which takes the square of its length, or is too long.
    """
    import yaml  # type: ignore[import-untyped]  # of omegaconf

    content = read_regular(path)
    if len(content) > LARGEST_YAML:
        raise ValueError("it is too long")
    depth = 0
    for event in yaml.parse(content, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent) or depth > DEEPEST_YAML:
            raise ValueError("it has aliases, or nests without need")
    return content.decode()


def check_schema(folder: Path, content: dict[str, Any], known: int, what: str, again: str) -> None:
    """Refuses what another version of graphkd wrote.

    Args:
        folder: that the content describes, for the error message.
        content: with the key ``schema_version``.
        known: the version that is read here.
        what: the folder is, for the error message.
        again: what to do with it, likewise.
    """
    version = content.get("schema_version")
    if version != known:
        raise GraphKDError(
            f"{folder} has {what} schema version {version}, this graphkd reads version {known}: "
            f"{again} it again or install the graphkd that wrote it"
        )


def sha256(content: bytes) -> str:
    """Hexadecimal digest."""
    return hashlib.sha256(content).hexdigest()


def sha256_of(parts: Iterable[Any]) -> str:
    """Hexadecimal digest of contiguous arrays, or bytes, one after the other; none is copied."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else memoryview(part.reshape(-1)).cast("B"))
    return digest.hexdigest()


def seal(value: dict[str, Any]) -> str:
    """The checksum of a JSON object, whatever the order of its keys and without ``checksum`` itself."""
    rest = {key: item for key, item in value.items() if key != "checksum"}
    return sha256(json.dumps(rest, sort_keys=True).encode())
