"""Ids in the columns of parquet parts: their kinds, and their values without rounding or renaming."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from graphkd.errors import GraphKDError
from graphkd.io.parquet import ids_of

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["texts", "whole numbers"]
"""Of the ids in a column."""


def kind_of(kind: pa.DataType, where: str) -> Kind | None:
    """Returns the kind of ids of a type, ``None`` for a column that holds nothing but nulls.

    Args:
        kind: of the column; a dictionary has the type of its values.
        where: the column, for the error message.

    Raises:
        GraphKDError: ids of this type are not taken out of core.
    """
    import pyarrow.types as types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    texts = (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
    views = (types.is_fixed_size_binary, getattr(types, "is_string_view", bool))
    if types.is_integer(kind):
        return "whole numbers"
    if types.is_null(kind):
        return None
    if any(check(kind) is True for check in (*texts, *views)):
        return "texts"
    raise GraphKDError(f"{where} holds {kind}: ids in parts are texts or whole numbers, convert them")


def one_kind(kinds: dict[Path, Kind | None]) -> Kind:
    """Returns the kind of ids of all files; ``None`` is of any kind.

    Raises:
        GraphKDError: two files have ids of different kinds.
    """
    known = {kind: file for file, kind in reversed(kinds.items()) if kind is not None}
    if len(known) > 1:
        (one, first), (other, second) = list(known.items())[:2]
        raise GraphKDError(f"{first} holds {one} as ids, {second} {other}: give all parts one kind of id")
    return next(iter(known), "texts")


def plain_ids(array: Any, where: str, row: int) -> Any:
    """Returns ids as Arrow strings or int64, as they are: bytes are UTF-8 texts.

    Args:
        array: ``[B]`` Arrow array of a column.
        where: the column, for error messages.
        row: of the first one in its part, likewise.

    Raises:
        GraphKDError: an id is missing, or is no UTF-8 text or beyond 64 bits.
    """
    import pyarrow as pa

    if array.null_count:
        empty = array.is_null().index(True).as_py()
        raise GraphKDError(f"{where} is empty in row {row + empty}: give every end and every node an id")
    if not pa.types.is_integer(array.type):
        return ids_of(array, where).cast(pa.string())
    try:
        return array.cast(pa.int64())
    except pa.ArrowInvalid:
        raise GraphKDError(f"{where} holds whole numbers beyond 64 bits: give them as texts") from None
