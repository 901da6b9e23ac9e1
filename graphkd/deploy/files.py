"""A bundle on disk: every file in it is checked before any of it is used."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphkd.atomic_io import as_path, check_schema, read_json_and_bytes, read_regular, seal, sha256
from graphkd.deploy.description import DESCRIPTION, EXPORTED, check_fields, check_student
from graphkd.errors import GraphKDError
from graphkd.folders import restore, steadily

SCHEMA_VERSION = 1
WEIGHTS, CARD, EXPORTS = "model.safetensors", "bundle.json", "exports.json"


@dataclass(frozen=True)
class Bundle:
    """What a bundle holds, checked.

    Args:
        folder: where it is.
        description: ``bundle.json``.
        weights: ``model.safetensors``.
        exports: by format, ``files`` (name → checksum) and ``parity``; see ``graphkd export``.
        files: content of every exported file by its name, relative to the folder.
    """

    folder: Path
    description: dict[str, Any]
    weights: bytes
    exports: dict[str, Any]
    files: dict[str, bytes]

    def exported(self, name: str) -> dict[str, Any]:
        """The record of an export.

        Raises:
            GraphKDError: it was not made.
        """
        if name not in self.exports:
            made = ", ".join(self.exports) or "nothing yet"
            raise GraphKDError(f"{self.folder} holds no {name} (but {made}): graphkd export RUN --to {name}")
        record: dict[str, Any] = self.exports[name]
        return record


def bundle_folder(path: str | Path) -> Path:
    """The ``bundle`` folder itself, given it or the run folder that holds it."""
    path = as_path(path, "the bundle")
    inside = path / "bundle"
    if (inside / CARD).is_file():
        return inside
    if not (path / CARD).is_file():
        for place in (path, inside):
            restore(place)
    return inside if (inside / CARD).is_file() else path


def read_bundle(path: str | Path) -> Bundle:
    """Reads a bundle; of one that is replaced meanwhile, the old or the new one.

    Args:
        path: a ``bundle`` folder, or a run folder that holds one.

    Raises:
        GraphKDError: there is no bundle, a file of it was truncated or changed, or it has another schema version.
    """
    folder = bundle_folder(path)
    return steadily(folder, lambda: _read(folder))


def _read(folder: Path) -> Bundle:
    card = folder / CARD
    description, content = read_json_and_bytes(card, "a bundle")
    check_schema(folder, description, SCHEMA_VERSION, "bundle", "export")
    _check_sealed(card, description, content)
    check_fields(description, DESCRIPTION, card)
    weights = _whole(folder, WEIGHTS, description["weights_sha256"])
    check_student(description, weights, card)
    exports = _exports(folder, description)
    files = {
        name: _whole(folder, name, digest)
        for record in exports.values()
        for name, digest in record["files"].items()
    }
    return Bundle(folder, description, weights, exports, files)


def _exports(folder: Path, description: dict[str, Any]) -> dict[str, Any]:
    file = folder / EXPORTS
    if not os.path.lexists(file):
        return {}
    listed, content = read_json_and_bytes(file, "a bundle")
    _check_sealed(file, listed, content)
    if listed.get("weights_sha256") != description["weights_sha256"]:
        raise GraphKDError(f"{file} belongs to another student: delete it and export again")
    if listed.get("schema_version") != SCHEMA_VERSION:
        raise GraphKDError(f"{file} is of another version of graphkd: delete it and export again")
    check_fields(listed, EXPORTED, file)
    exports: dict[str, Any] = listed["exports"]
    return exports


def _check_sealed(file: Path, found: dict[str, Any], content: bytes) -> None:
    """The checksum covers the values, the comparison with the text every byte but how many spaces begin a line.

    The encoder is fast only where it does not indent: line breaks, of which texts in JSON have none, go instead.
    """
    try:
        text = json.dumps(found, separators=(",", ": "))
    except (RecursionError, ValueError):
        text = ""
    written = re.sub(rb"\n *", b"", content)
    if not text or found.get("checksum") != seal(found) or written != text.encode():
        raise GraphKDError(f"{file} was changed after it was written: export the bundle again")


def _whole(folder: Path, name: str, digest: Any) -> bytes:
    try:
        content = read_regular(folder / name)
    except OSError:
        raise GraphKDError(f"{folder} holds no readable {name}: export the bundle again") from None
    if sha256(content) != digest:
        raise GraphKDError(f"{folder / name} is truncated or was changed: export the bundle again")
    return content
