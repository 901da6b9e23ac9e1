"""Reader of parquet columns, shared by training and serving. It needs pyarrow, an optional dependency."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from graphkd.errors import GraphKDError

if TYPE_CHECKING:
    import pyarrow as pa

INDEX = "__index_level_"
"""Prefix of the column in which pandas stores an unnamed index; it is not a column of the table."""


def open_parquet(path: Path, **options: Any) -> Any:
    """Opens a ``pyarrow.parquet.ParquetFile``.

    Args:
        path: of the file.
        **options: of ``ParquetFile``.

    Raises:
        GraphKDError: pyarrow is not installed, or the file is not parquet.
    """
    try:
        import pyarrow.parquet as pq
    except ImportError:
        raise GraphKDError(f"{path} needs pyarrow: pip install 'graphkd[parquet]', or give csv") from None
    try:
        file = pq.ParquetFile(path, **options)
    except (ValueError, OSError) as error:  # the base classes of pyarrow's errors
        text = " ".join(str(error).split())
        raise GraphKDError(f"{path} cannot be read as parquet ({text}): write it again") from None
    return file


def is_number(kind: pa.DataType) -> bool:
    """Returns whether a type is numeric or boolean; a dictionary type has the type of its values."""
    import pyarrow.types as types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    number = types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)
    return bool(number or types.is_decimal(kind) or types.is_null(kind))


def whole(column: pa.ChunkedArray) -> Any:
    """Combines the chunks of a column into one array and decodes dictionaries."""
    import pyarrow as pa

    array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def numbers(array: Any) -> NDArray[Any]:
    """Converts Arrow numbers to numpy; nulls become NaN, float32 without nulls is not copied."""
    import pyarrow as pa

    if pa.types.is_null(array.type):
        return np.full(len(array), np.nan, dtype=np.float32)
    if pa.types.is_boolean(array.type) or pa.types.is_decimal(array.type):
        array = array.cast(pa.int8() if pa.types.is_boolean(array.type) else pa.float64())
    return np.asarray(array.to_numpy(zero_copy_only=False))


def ids_of(array: Any, where: str) -> Any:
    """Returns ids unchanged, binary ids decoded as UTF-8.

    Raises:
        GraphKDError: bytes are not UTF-8.
    """
    import pyarrow as pa

    kind = array.type
    if not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)):
        return array
    try:
        return array.cast(pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        raise GraphKDError(f"{where} holds bytes that are no UTF-8 text: decode them first") from None


def range_index(schema: pa.Schema) -> tuple[str, range] | None:
    """Returns the name and values of the index that pandas stores as a range in the metadata, or ``None``.

    Args:
        schema: of the file.
    """
    for index in (schema.pandas_metadata or {}).get("index_columns", []):
        if isinstance(index, dict) and index.get("name") is not None:
            return str(index["name"]), range(index["start"], index["stop"], index["step"])
    return None
