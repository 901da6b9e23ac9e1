"""Reader of a table in several parquet files as one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from graphkd.errors import GraphKDError
from graphkd.io.frame import check_once
from graphkd.io.parquet import open_parquet, range_index


def part_files(folder: Path) -> list[Path]:
    """Returns the parquet parts of a folder in the order of their names, which is the order of the table's rows.

    Names that begin with ``_`` or ``.`` are notes of the program that wrote the parts, such as ``_SUCCESS``.

    Args:
        folder: of the parts and nothing else.

    Raises:
        GraphKDError: there is no part, or something else beside them.
    """
    files = sorted(file for file in folder.iterdir() if not file.name.startswith(("_", ".")))
    for file in files:
        if file.suffix != ".parquet" or not file.is_file():
            raise GraphKDError(f"{file} is no parquet part: give {folder} parts named *.parquet alone")
    if not files:
        raise GraphKDError(f"{folder} holds no *.parquet: give it the parts of a table")
    return files


def column_blocks(file: Path, name: str, size: int, group: int | None = None) -> Iterator[Any]:
    """Yields a column in Arrow arrays of at most ``size`` rows; dictionaries are decoded.

    Args:
        file: a parquet file.
        name: of the column.
        size: rows of an array.
        group: the row group; by default all.

    Raises:
        GraphKDError: the file is damaged.
    """
    with open_parquet(file) as table:
        try:
            for batch in table.iter_batches(size, None if group is None else [group], [name]):
                array = batch.column(0)
                yield array.dictionary_decode() if hasattr(array, "dictionary_decode") else array
        except (ValueError, OSError) as error:  # the base classes of pyarrow's errors
            text = " ".join(str(error).split())
            raise GraphKDError(f"{file} cannot be read as parquet ({text}): write it again") from None


def concatenated(folder: Path) -> Any:
    """Reads all parts into one ``pyarrow.Table``, whose types hold the values of every part.

    Args:
        folder: of the parts.

    Raises:
        GraphKDError: a part cannot be read, or has other columns or other types than the first.
    """
    import pyarrow as pa

    files = part_files(folder)
    tables = [_without_index(open_parquet(file).read(), file) for file in files]
    names = tables[0].column_names
    for file, table in zip(files, tables, strict=True):
        if different := {*table.column_names} ^ {*names}:
            known = f"of {file} and {files[0]} only one has a column '{min(different)}'"
            raise GraphKDError(f"{known}: give both the same ones")
        for name in names:
            _check_kinds(table.schema.field(name).type, tables[0].schema.field(name).type, name, file, files[0])
    try:
        return pa.concat_tables([table.select(names) for table in tables], promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        text = " ".join(str(error).split())
        raise GraphKDError(f"parts of {folder} differ in types ({text}): give all parts the same") from None


def _check_kinds(kind: Any, first: Any, name: str, file: Path, first_file: Path) -> None:
    """Refuses whole numbers beside fractions, since large ones would be rounded."""
    import pyarrow.types as types

    if {types.is_integer(kind), types.is_integer(first)} == {True, False} and not (
        types.is_null(kind) or types.is_null(first)
    ):
        raise GraphKDError(f"{file} column '{name}' holds {kind}, {first_file} {first}: give all parts one type")


def _without_index(table: Any, file: Path) -> Any:
    """Checks names, and refuses a pandas index that is stored as a range: it would begin again in every part."""
    check_once(table.column_names, str(file))
    if (index := range_index(table.schema)) is not None:
        raise GraphKDError(f"{file} holds '{index[0]}' as pandas' index alone: write it as a column")
    return table.replace_schema_metadata(None)
