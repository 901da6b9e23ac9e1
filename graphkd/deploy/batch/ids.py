"""Ids of rows: a list, or an Arrow array of any type, which they keep on their way."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = Any
"""``[B]``: a list of texts and numbers, or a ``pyarrow.Array``."""


def take(ids: Ids, rows: NDArray[np.int64]) -> Ids:
    """The ids of some rows."""
    return ids.take(rows) if _is_arrow(ids) else [ids[row] for row in rows.tolist()]


def as_list(ids: Ids) -> list[Any]:
    """In Python's own types."""
    found: list[Any] = ids.to_pylist() if _is_arrow(ids) else ids
    return found


def pack(ids: Ids) -> dict[str, NDArray[np.uint8]]:
    """As bytes under a name that says how they are to be read."""
    if not _is_arrow(ids):
        return {"ids_json": np.frombuffer(json.dumps(ids).encode(), dtype=np.uint8)}
    import pyarrow as pa

    sink, batch = io.BytesIO(), pa.record_batch([ids], names=["id"])
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return {"ids_arrow": np.frombuffer(sink.getvalue(), dtype=np.uint8)}


def unpack(arrays: Any) -> Ids | None:
    """What ``pack`` made, out of a mapping that may have other arrays or none of them."""
    if "ids_json" in arrays:
        return json.loads(arrays["ids_json"].tobytes())
    if "ids_arrow" not in arrays:
        return None
    import pyarrow as pa

    with pa.ipc.open_stream(arrays["ids_arrow"].tobytes()) as stream:
        return stream.read_next_batch().column(0)


def _is_arrow(ids: Ids) -> bool:
    return hasattr(ids, "to_pylist")
