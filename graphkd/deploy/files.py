"""Reading of a bundle from disk: every file is verified before any of it is used."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from graphkd.atomic_io import as_path, check_schema, read_json_and_bytes, read_verified, seal
from graphkd.deploy.description import DESCRIPTION, DESCRIPTION_1, EXPORTED, check_student, check_vectors
from graphkd.deploy.hub import fetch_bundle, is_address
from graphkd.deploy.inputs import of_schema_1
from graphkd.deploy.weights import arrays_of
from graphkd.errors import GraphKDError
from graphkd.folders import restore, steadily

if TYPE_CHECKING:
    from graphkd.columns import ColumnEncoding

SCHEMA_VERSION, EXPORTS_VERSION = 2, 1
WEIGHTS, INPUTS, CARD, EXPORTS = "model.safetensors", "inputs.safetensors", "bundle.json", "exports.json"
LINKS_CARD = "links.json"
"""In the place of ``bundle.json`` in a bundle that scores pairs of nodes; see ``graphkd.links.load_predictor``."""

MODEL_CARD = "README.md"
"""The model card: for readers, who may edit it; graphkd reads nothing of it."""

SCHEMA = "schema.json"
"""Describes columns, classes and exports for other programs; graphkd checks its checksum and reads no more."""


@dataclass(frozen=True)
class Bundle:
    """Verified content of a bundle.

    Args:
        folder: path of the bundle.
        description: content of ``bundle.json``.
        tensors: the arrays in ``model.safetensors``, by name; read-only.
        columns: encoding of a raw table's columns as the student's features, or None.
        inputs: those in ``inputs.safetensors``: ``positions [n, d]`` of a student that reads them.
        exports: format → ``files`` (name → checksum) and ``parity``; see ``graphkd export``.
        files: name of an exported file, relative to the folder → its content.
    """

    folder: Path
    description: dict[str, Any]
    tensors: dict[str, NDArray[Any]]
    inputs: dict[str, NDArray[Any]]
    exports: dict[str, Any]
    files: dict[str, bytes]
    columns: ColumnEncoding | None = None

    def exported(self, name: str) -> dict[str, Any]:
        """Returns the record of an export.

        Raises:
            GraphKDError: the bundle has no export of this format.
        """
        if name not in self.exports:
            formats = ", ".join(self.exports) or "nothing yet"
            raise GraphKDError(f"{self.folder} holds no {name} (but {formats}): graphkd export RUN --to {name}")
        record: dict[str, Any] = self.exports[name]
        return record


def bundle_folder(path: str | Path) -> Path:
    """Returns the ``bundle`` folder, given its own path, that of its run folder, or its address ``hf://OWNER/NAME``."""
    if is_address(path):
        return fetch_bundle(path)
    path = as_path(path, "the bundle")
    inside = path / "bundle"
    if (inside / CARD).is_file():
        return inside
    if not (path / CARD).is_file():
        for folder in (path, inside):
            restore(folder)
    return inside if (inside / CARD).is_file() else path


def holds_bundle(folder: Path) -> bool:
    """Returns whether a folder holds a bundle, of nodes or of links."""
    return any((folder / card).is_file() for card in (CARD, LINKS_CARD))


def holds_links(path: str | Path) -> bool:
    """Returns whether a folder is a bundle that scores pairs of nodes, or of a run that contains one."""
    if is_address(path):
        return False
    folder = as_path(path, "the bundle")
    return any((folder / part / LINKS_CARD).is_file() for part in (".", "bundle"))


def read_bundle(path: str | Path) -> Bundle:
    """Reads a bundle; if it is replaced concurrently, the old or the new one as a whole.

    Args:
        path: a ``bundle`` folder, a run folder that contains one, or ``hf://OWNER/NAME``.

    Raises:
        GraphKDError: there is no bundle, it cannot be downloaded, a file of it was truncated or modified, or its
            schema version differs.
    """
    folder = bundle_folder(path)
    return steadily(folder, lambda: _read(folder))


def _read(folder: Path) -> Bundle:
    card = folder / CARD
    if holds_links(folder):
        raise GraphKDError(f"{folder} scores pairs of nodes, and this needs a student of nodes: give another run")
    description, content = read_json_and_bytes(card, "a bundle")
    if description.get("schema_version") != 1:
        check_schema(folder, description, SCHEMA_VERSION, "bundle", "export")
    _check_sealed(card, description, content)
    description = _current(description, card)
    tensors = check_student(description, _whole(folder, WEIGHTS, description["weights_sha256"]), card)
    inputs = _inputs(folder, description, card)
    columns = _columns(description, card)
    exports = _exports(folder, description)
    files = {
        name: _whole(folder, name, digest)
        for record in exports.values()
        for name, digest in record["files"].items()
    }
    return Bundle(folder, description, tensors, inputs, exports, files, columns)


def _current(description: dict[str, Any], card: Path) -> dict[str, Any]:
    """Checks the fields of a description, and returns them as of the current schema version."""
    if description["schema_version"] == SCHEMA_VERSION:
        DESCRIPTION.check(description, card)
        return description
    DESCRIPTION_1.check(description, card)
    rest = {name: value for name, value in description.items() if name != "propagation"}
    return {**rest, "inputs": of_schema_1(description["propagation"])}


def _columns(description: dict[str, Any], card: Path) -> ColumnEncoding | None:
    content = description.get("columns")
    if content is None:
        return None
    from graphkd.columns import ColumnEncoding

    try:
        columns = ColumnEncoding.from_json(content)
    except GraphKDError as error:
        raise DESCRIPTION.fault(card, f"its columns are none ({error})") from None
    if description.get("feature_names") != list(columns.names_out):
        raise DESCRIPTION.fault(card, "its columns are not those of its feature_names")
    return columns


def _inputs(folder: Path, description: dict[str, Any], card: Path) -> dict[str, NDArray[Any]]:
    digest, arrays = description.get("inputs_sha256"), {}
    if digest is not None:
        content = _whole(folder, INPUTS, digest)
        try:
            arrays = arrays_of(content)
        except (ValueError, KeyError, TypeError, RecursionError):
            raise GraphKDError(f"{folder / INPUTS} is no safetensors file: export the bundle again") from None
    check_vectors(description, arrays, card)
    return arrays


def _exports(folder: Path, description: dict[str, Any]) -> dict[str, Any]:
    file = folder / EXPORTS
    if not os.path.lexists(file):
        return {}
    manifest, content = read_json_and_bytes(file, "a bundle")
    _check_sealed(file, manifest, content)
    if manifest.get("weights_sha256") != description["weights_sha256"]:
        raise GraphKDError(f"{file} belongs to another student: delete it and export again")
    if manifest.get("schema_version") != EXPORTS_VERSION:
        raise GraphKDError(f"{file} is of another version of graphkd: delete it and export again")
    EXPORTED.check(manifest, file)
    if (digest := manifest.get("schema_sha256")) is not None:  # older ones have none
        _whole(folder, SCHEMA, digest)
    exports: dict[str, Any] = manifest["exports"]
    return exports


def _check_sealed(file: Path, found: dict[str, Any], content: bytes) -> None:
    """Checks the checksum of the values, and compares the file's text with that of the re-encoded values.

    The comparison covers every byte except the indentation of a line. ``json`` is fast only without ``indent``, so
    line breaks, which JSON strings never contain, are removed from the file's text instead.
    """
    try:
        text = json.dumps(found, separators=(",", ": "))
    except (RecursionError, ValueError):
        text = ""
    written = re.sub(rb"\n *", b"", content)
    if not text or found.get("checksum") != seal(found) or written != text.encode():
        raise GraphKDError(f"{file} was changed after it was written: export the bundle again")


def _whole(folder: Path, name: str, digest: Any) -> bytes:
    return read_verified(folder, name, digest, "export the bundle")
