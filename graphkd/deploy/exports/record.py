"""Storage of exports in the bundle of their weights."""

from __future__ import annotations

import json
import shutil
from typing import Any

from graphkd.atomic_io import seal, sha256, whole_folder, write_json
from graphkd.deploy.exports.schema_file import schema_of
from graphkd.deploy.files import EXPORTS, EXPORTS_VERSION, SCHEMA, Bundle


def add_export(bundle: Bundle, name: str, files: dict[str, bytes], about: dict[str, Any]) -> None:
    """Adds an export to a bundle, replacing one of the same format, and describes all of them in ``schema.json``.

    The folder is replaced atomically.

    Args:
        bundle: as read from disk.
        name: of the format.
        files: name relative to the bundle → content.
        about: ``parity`` by precision, see ``graphkd.deploy.exports.parity.Parity``; ``allow_loss``, whether a
            failed check was permitted; ``preprocessing`` and ``columns`` if they are part of the files, which
            older exports lack.
    """
    digests = {file: sha256(content) for file, content in files.items()}
    exports = {**bundle.exports, name: {**about, "files": digests}}
    schema = (json.dumps(schema_of(bundle, exports), indent=2) + "\n").encode()
    manifest: dict[str, Any] = {
        "schema_version": EXPORTS_VERSION,
        "weights_sha256": bundle.description["weights_sha256"],
        "schema_sha256": sha256(schema),
        "exports": exports,
    }
    with whole_folder(bundle.folder) as draft:
        shutil.copytree(bundle.folder, draft, dirs_exist_ok=True)
        for file, content in files.items():
            (draft / file).parent.mkdir(parents=True, exist_ok=True)
            (draft / file).write_bytes(content)
        (draft / SCHEMA).write_bytes(schema)
        write_json(draft / EXPORTS, {**manifest, "checksum": seal(manifest)})
