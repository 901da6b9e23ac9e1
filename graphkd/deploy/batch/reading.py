"""Opening of a file as a source of blocks."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from graphkd.deploy.batch.block import Block, Source
from graphkd.deploy.batch.columns import Wanted
from graphkd.deploy.batch.csv import CsvSource
from graphkd.deploy.batch.encoded import EncodedCsv, EncodedJson, EncodedParquet, no_names
from graphkd.deploy.batch.ids import ids_in_files
from graphkd.deploy.batch.jsonl import JsonSource
from graphkd.deploy.batch.numpy import ArchiveSource, TableSource
from graphkd.deploy.batch.parquet import ParquetSource
from graphkd.deploy.batch.stream import Member
from graphkd.errors import GraphKDError
from graphkd.io.lines import GZ, StandardInput
from graphkd.io.sparse import check_sparse


def open_rows(path: Path | StandardInput, wanted: Wanted) -> Source:
    """Opens a file of rows.

    Args:
        path: ``.parquet``; ``.csv``, ``.tsv`` or ``.jsonl``, also packed as ``.csv.gz`` and so on, or standard
            input; ``.npy`` (an array); ``.npz`` (an array ``x`` and, optionally, ``ids``, or a matrix saved by
            ``scipy.sparse.save_npz``).
        wanted: columns that the student takes.

    Raises:
        GraphKDError: the file does not exist, has an unknown suffix, or does not contain rows for this student.
    """
    check_is_rows(path)
    try:
        texts, readers = (TEXTS, READERS) if wanted.encoding is None else (ENCODED_TEXTS, ENCODED)
        if isinstance(path, StandardInput):
            return texts[path.suffix](path, wanted)
        return readers[suffix_of(path)](path, wanted)
    except GraphKDError:
        raise
    except Exception as error:  # numpy, scipy and pyarrow raise many types for invalid files
        text = " ".join(str(error).split())
        raise GraphKDError(f"{path} does not hold rows of numbers ({text}): write it again") from None


def suffix_of(path: Path) -> str:
    """Returns the end of a file's name that says what it holds.

    >>> suffix_of(Path("a.b.csv.gz")), suffix_of(Path("a.b.csv"))
    ('.csv.gz', '.csv')
    """
    return "".join(path.suffixes[-2:]) if path.suffix == GZ else path.suffix


def check_is_rows(path: Path | StandardInput) -> None:
    """Checks that a path is a file with a suffix of ``READERS``, or standard input."""
    if isinstance(path, StandardInput):
        return
    if not path.is_file():
        raise GraphKDError(f"{path} is no file: give rows as {', '.join(READERS)}, or the word graph")
    if suffix_of(path) not in READERS:
        raise GraphKDError(f"{path} ends in '{suffix_of(path)}': rows come as {', '.join(READERS)}")


def is_graph(path: Path, hops: int) -> bool:
    """Returns whether a file is read as a graph: an archive with ``edge_index`` whose rows alone do not suffice.

    Args:
        path: of the file.
        hops: of the student; if 0, the rows ``x`` of a graph are read as those of other files.
    """
    names = _names(path) if path.suffix == ".npz" and zipfile.is_zipfile(path) else []
    return "edge_index.npy" in names and (hops > 0 or "x.npy" not in names)


def whole(source: Source, path: Path | StandardInput, rows: int, skip: int) -> Iterator[Block]:
    """Yields the blocks of a source; converts errors of a damaged file to ``GraphKDError``."""
    row = rows * skip
    try:
        for block in source.blocks(rows, skip):
            yield block
            row = block.start + block.x.shape[0]
    except (GraphKDError, GeneratorExit):
        raise
    except Exception as error:  # as above
        text = " ".join(str(error).split())
        raise GraphKDError(f"{path} cannot be read from row {row} on ({text}): write it again") from None


def _npy(path: Path, wanted: Wanted) -> Source:
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    _check(path, array.shape, array.dtype, wanted)
    return TableSource(array, wanted.names)


def _npz(path: Path, wanted: Wanted) -> Source:
    names = _names(path)
    if "format.npy" in names:
        return _scipy(path, wanted)
    if "x.npy" not in names:
        present = ", ".join(name.removesuffix(".npy") for name in names) or "nothing"
        raise GraphKDError(f"{path} holds no array x: it has {present}")
    with zipfile.ZipFile(path) as archive:
        member = Member(archive, "x")
    _check(path, member.shape, member.dtype, wanted)
    if member.fortran:  # column-major: rows cannot be streamed
        with np.load(path, allow_pickle=False) as arrays:
            return TableSource(
                arrays["x"], wanted.names, ids_in_files(arrays["ids"], path) if "ids" in arrays else None
            )
    return ArchiveSource(path, wanted.names)


def _scipy(path: Path, wanted: Wanted) -> Source:
    import scipy.sparse

    with zipfile.ZipFile(path) as archive, archive.open("format.npy") as file:
        kind = bytes(np.lib.format.read_array(file, allow_pickle=False).item())
    if kind != b"csr":
        loaded: Any = scipy.sparse.load_npz(path)
        check_sparse(loaded, str(path))
        matrix: Any = scipy.sparse.csr_matrix(loaded)
        _check(path, matrix.shape, matrix.dtype, wanted)
        return TableSource(matrix, wanted.names)
    with zipfile.ZipFile(path) as archive:
        dtype = Member(archive, "data").dtype
    source = ArchiveSource(path, wanted.names)
    _check(path, source.shape, dtype, wanted)
    return source


def _check(path: Path, shape: tuple[int, ...], dtype: Any, wanted: Wanted) -> None:
    if wanted.id is not None:
        raise GraphKDError(f"{path} has no named columns: leave --id out (an .npz may hold an array ids)")
    if len(shape) != 2 or dtype.kind not in "biuf":
        raise GraphKDError(f"{path} must hold [rows, features] of numbers, but holds {list(shape)} {dtype}")
    if shape[1] != wanted.width:
        raise GraphKDError(f"{path} holds rows of {shape[1]} features, the student takes {wanted.width}")


def _names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


TEXTS: dict[str, Callable[[Path | StandardInput, Wanted], Source]] = {
    ".csv": CsvSource,
    ".tsv": partial(CsvSource, delimiter="\t"),
    ".jsonl": JsonSource,
}
"""Suffix → function that opens a text, or standard input."""

READERS: dict[str, Callable[[Path, Wanted], Source]] = {
    ".parquet": ParquetSource,
    **TEXTS,
    **{f"{suffix}{GZ}": reader for suffix, reader in TEXTS.items()},
    ".npy": _npy,
    ".npz": _npz,
}
"""Suffix → function that opens the file."""

ENCODED_TEXTS: dict[str, Callable[[Path | StandardInput, Wanted], Source]] = {
    ".csv": EncodedCsv,
    ".tsv": partial(EncodedCsv, delimiter="\t"),
    ".jsonl": EncodedJson,
}
"""The same as ``TEXTS`` for a student whose columns are encoded."""

ENCODED: dict[str, Callable[[Path, Wanted], Source]] = {
    ".parquet": EncodedParquet,
    **ENCODED_TEXTS,
    **{f"{suffix}{GZ}": reader for suffix, reader in ENCODED_TEXTS.items()},
    ".npy": no_names,
    ".npz": no_names,
}
"""The same as ``READERS`` for such a student."""
