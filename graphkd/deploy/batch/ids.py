"""Row ids: a list, a numpy integer array, or an Arrow array, whose type is preserved."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.errors import GraphKDError
from graphkd.io.ids import plain_ids

Ids = Any
"""``[B]``: a list of strings and numbers, an integer array, or a ``pyarrow.Array``."""


def ids_in_files(ids: NDArray[Any], path: Path) -> Ids:
    """Returns an archive's ids as strings and integers; dates as strings, as the journal's JSON has none."""
    if ids.dtype.kind in "iu" and ids.ndim == 1:  # their type fits all of them
        return np.ascontiguousarray(ids, ids.dtype.newbyteorder("="))
    return [
        value.isoformat() if isinstance(value, date) else value for value in plain_ids(ids, f"{path} array ids")
    ]


def take(ids: Ids, rows: NDArray[np.int64]) -> Ids:
    """Selects the ids of some rows."""
    return ids.take(rows) if hasattr(ids, "take") else [ids[row] for row in rows.tolist()]


def as_list(ids: Ids) -> list[Any]:
    """Converts ids to a list of Python objects."""
    if isinstance(ids, np.ndarray):
        return list(ids.tolist())
    return list(ids.to_pylist() if _is_arrow(ids) else ids)


def as_texts(ids: Ids) -> list[Any]:
    """Converts ids to the values of a csv: dates in ISO format.

    Raises:
        GraphKDError: two different values have the same text.
    """
    values = [value.isoformat() if isinstance(value, date) else value for value in as_list(ids)]
    if len({type(value) for value in values}) > 1:
        check_distinct(values)
    return values


def check_distinct(ids: list[Any]) -> None:
    """Raises an error for ids that would be equal as text, such as 1 and "1"."""
    by_text: dict[str, Any] = {}
    for value in ids:
        first = by_text.setdefault(str(value), value)
        if type(first) is not type(value):
            raise GraphKDError(f"ids {first!r} and {value!r} are the same text in a file: rename one of them")


def pack(ids: Ids | None) -> bytes:
    """Serializes ids to bytes, the first of which is the format."""
    if ids is None:
        return b""
    if isinstance(ids, np.ndarray):
        sink = io.BytesIO()
        np.save(sink, ids)
        return b"N" + sink.getvalue()
    if not _is_arrow(ids):
        return b"J" + json.dumps(ids).encode()
    import pyarrow as pa

    sink, batch = io.BytesIO(), pa.record_batch([ids], names=["id"])
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return b"A" + sink.getvalue()


def unpack(content: bytes) -> Ids | None:
    """Restores ids from the bytes of ``pack``."""
    if not content:
        return None
    if content.startswith(b"N"):
        return np.load(io.BytesIO(content[1:]), allow_pickle=False)
    if content.startswith(b"J"):
        return json.loads(content[1:])
    import pyarrow as pa

    with pa.ipc.open_stream(content[1:]) as stream:
        return stream.read_next_batch().column(0)


def _is_arrow(ids: Ids) -> bool:
    return hasattr(ids, "to_pylist")
