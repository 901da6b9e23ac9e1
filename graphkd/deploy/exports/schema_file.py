"""``schema.json`` beside the exports of a bundle: the table's columns, the classes, and what each file takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphkd.deploy.exports.raw_columns import RawColumn
from graphkd.deploy.exports.stamp import Stamp
from graphkd.deploy.files import SCHEMA_VERSION, Bundle

VERSION = 1
"""Of the format of ``schema.json``."""


def schema_of(bundle: Bundle, exports: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the content of ``schema.json``.

    Args:
        bundle: source of names and steps.
        exports: format → its record in ``exports.json``.

    Returns:
        ``columns``, the raw ones (name, kind, and categories, value in place of a missing one and whether training
        rows lacked values; null if features have no names); ``classes``; per format, whether its ``rows`` are
        ``raw`` or ``prepared``, their ``names`` (null if there are none) and their number ``width``, the steps
        that are ``not_in_file``, and its ``files``; versions.
    """
    from graphkd import __version__

    description, stamp = bundle.description, Stamp.of(bundle)
    names = description.get("feature_names")
    plain = [{"name": str(name), "kind": "number", "missing": False} for name in names or ()]
    columns = [column.record for column in RawColumn.of(bundle.columns)] or plain or None
    return {
        "version": VERSION,
        "graphkd_version": __version__,
        "bundle_schema_version": SCHEMA_VERSION,
        "weights_sha256": description["weights_sha256"],
        "columns": columns,
        "classes": description["class_names"] or list(range(len(stamp.class_names))),
        "exports": {name: _taken(bundle, stamp, record) for name, record in exports.items()},
    }


def _taken(bundle: Bundle, stamp: Stamp, record: Mapping[str, Any]) -> dict[str, Any]:
    """Describes the rows that a file takes by its record: older files leave out what newer ones include."""
    left = {
        "columns": bool(stamp.columns) and "columns" not in record,
        "preprocessing": bool(stamp.steps) and "preprocessing" not in record,
        "hops": stamp.hops > 0,
        "positions": stamp.positions,
    }
    not_in_file = [step for step, is_left in left.items() if is_left]
    return {
        "rows": "prepared" if not_in_file else "raw",
        "names": list(stamp.feature_names) or None,  # of scaled columns the same
        "width": int(bundle.description["student"]["arguments"]["num_features"]),
        "not_in_file": not_in_file,
        "files": sorted(record["files"]),
    }
