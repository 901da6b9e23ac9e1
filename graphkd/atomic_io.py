"""Atomic writes, bounded reads and checksums of files."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from graphkd.drafts import draft_file, umask
from graphkd.errors import GraphKDError
from graphkd.folders import replace_folder as replace_folder
from graphkd.folders import whole_folder as whole_folder


def as_path(given: Any, what: str) -> Path:
    """Converts a user's value to a path; ``~`` is expanded.

    Args:
        given: a string or a path.
        what: what the path is, for the error message.

    Raises:
        GraphKDError: the value is neither, or empty.
    """
    if not isinstance(given, str | os.PathLike) or not os.fspath(given) or "\0" in str(given):
        raise GraphKDError(f"{what} is {given!r}: give a path")
    return Path(given).expanduser()


def default_cache_dir() -> Path:
    """Returns ``$GRAPHKD_CACHE``, else ``graphkd`` in the user's cache folder.

    Raises:
        GraphKDError: neither is set, and the user has no home folder.
    """
    if folder := os.environ.get("GRAPHKD_CACHE"):
        return Path(folder)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "graphkd"
    except RuntimeError:
        raise GraphKDError("this user has no home folder: set GRAPHKD_CACHE to a folder for the cache") from None


def check_writable(path: Path, what: str) -> None:
    """Checks, before anything is computed, that a folder can be made at a path.

    Args:
        path: of the folder.
        what: the key whose value it is, for the error message.
    """
    ancestor = path.absolute()
    while not (ancestor.exists() or ancestor.is_symlink()):
        ancestor = ancestor.parent
    if not ancestor.is_dir() or not os.access(ancestor, os.W_OK):
        raise GraphKDError(
            f"{path} cannot be made, {ancestor} is no folder that can be written to: choose another {what}"
        )


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file atomically, by renaming a temporary one: readers see the old or the new content."""
    with whole_file(path) as draft:
        draft.write_bytes(content)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yields the path of a temporary file, which replaces ``path`` if the block succeeds, else is deleted."""
    with draft_file(path) as draft:
        yield draft
        os.chmod(draft, 0o666 & ~umask())
        os.replace(draft, path)


def write_text(path: Path, text: str) -> None:
    """Writes a text as UTF-8, as ``write_bytes`` does."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Writes a value as indented JSON, as ``write_text`` does."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def read_json(path: Path, what: str) -> dict[str, Any]:
    """Reads the object in a JSON file.

    Args:
        path: of the file.
        what: what the file belongs to, for the error message.

    Raises:
        GraphKDError: the file is missing, or does not contain a JSON object.
    """
    return read_json_and_bytes(path, what)[0]


def read_json_and_bytes(path: Path, what: str) -> tuple[dict[str, Any], bytes]:
    """Reads a JSON file once; returns its object and its bytes. See ``read_json``."""
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


CHUNK = 2**16
"""Smallest number of bytes that are asked for at once."""


def read_regular(path: Path) -> bytes:
    """Reads a regular file; reading a pipe or a device may block, or never end.

    Raises:
        OSError: the path is no regular file.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError("it is no regular file")
        parts = [os.read(handle, max(status.st_size, CHUNK))]
        while parts[-1]:
            parts.append(os.read(handle, CHUNK))
        return b"".join(parts)
    finally:
        os.close(handle)


LARGEST_YAML, DEEPEST_YAML = 2**20, 50
"""Limits on a YAML file: its size in bytes and its depth of nesting."""


def plain_yaml(path: Path) -> str:
    """Reads the text of a YAML file that has no aliases, since a few lines of them can expand beyond memory.

    Raises:
        ValueError: the file has aliases, nests deeply (parsing takes quadratic time then), or is too long.
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
    """Checks that a file has the schema version that this graphkd reads.

    Args:
        folder: described by the content, for the error message.
        content: has the key ``schema_version``.
        known: the supported version.
        what: kind of the schema, for the error message.
        again: the verb of the advice in the error message, such as ``export``.
    """
    version = content.get("schema_version")
    if version != known:
        raise GraphKDError(
            f"{folder} has {what} schema version {version}, this graphkd reads version {known}: "
            f"{again} it again or install the graphkd that wrote it"
        )


def sha256(content: bytes) -> str:
    """Returns the hexadecimal SHA-256 digest."""
    return hashlib.sha256(content).hexdigest()


def sha256_of(parts: Iterable[Any]) -> str:
    """Returns the hexadecimal SHA-256 digest of contiguous arrays or bytes, concatenated without a copy."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else memoryview(part.reshape(-1)).cast("B"))
    return digest.hexdigest()


def file_crc(path: Path) -> int:
    """Computes the CRC-32 of a file's content, against accidental damage only."""
    crc = 0
    with path.open("rb") as content:
        while block := content.read(2**20):
            crc = zlib.crc32(block, crc)
    return crc


def seal(value: dict[str, Any]) -> str:
    """Computes the checksum of a JSON object, independent of the order of keys and without ``checksum`` itself."""
    content = {key: item for key, item in value.items() if key != "checksum"}
    return sha256(json.dumps(content, sort_keys=True).encode())


def read_verified(folder: Path, name: str, digest: Any, again: str) -> bytes:
    """Returns the content of a regular file whose checksum is known.

    Args:
        folder: of the file.
        name: of the file in it.
        digest: SHA-256 of its content.
        again: what makes it anew, for the error message.

    Raises:
        GraphKDError: the file is missing, or has another checksum.
    """
    try:
        content = read_regular(folder / name)
    except OSError:
        raise GraphKDError(f"{folder} holds no readable {name}: {again} again") from None
    if sha256(content) != digest:
        raise GraphKDError(f"{folder / name} is truncated or was changed: {again} again")
    return content
