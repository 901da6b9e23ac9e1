"""Rows and predictions in files."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.storage import write_bytes


def read_rows(path: Path) -> tuple[Any, Tensor | None]:
    """Feature rows ``[B, D]``, and edges ``[2, E]`` where the file has them.

    Args:
        path: ``.npy`` (an array), ``.npz`` (arrays ``x`` and, optionally, ``edge_index``; or a matrix saved by
            ``scipy.sparse.save_npz``) or ``.csv`` (numbers; a first line that is no numbers is a header).

    Raises:
        GraphKDError: no such file, another kind of file, or content that is not rows of numbers.
    """
    if not path.is_file():
        raise GraphKDError(f"{path} is no file: give rows as .npy, .npz or .csv, or the word graph")
    readers = {".npy": _read_npy, ".npz": _read_npz, ".csv": _read_csv}
    if path.suffix not in readers:
        raise GraphKDError(f"{path} ends in '{path.suffix}': rows come as {', '.join(readers)}")
    try:
        rows, edges = readers[path.suffix](path)
    except GraphKDError:
        raise
    except Exception as error:  # numpy and scipy answer bad files in many ways
        raise GraphKDError(f"{path} does not hold rows of numbers ({error})".replace("\n", " ")) from None
    if len(rows.shape) != 2 or rows.dtype.kind not in "biuf":
        raise GraphKDError(
            f"{path} must hold [rows, features] of numbers, but holds {list(rows.shape)} {rows.dtype}"
        )
    return (rows if scipy.sparse.issparse(rows) else np.ascontiguousarray(rows, dtype=np.float32)), edges


def check_output(path: Path) -> None:
    """Refuses, before any work, a file that predictions cannot be written to."""
    if path.suffix not in (".csv", ".npy"):
        raise GraphKDError(f"{path} ends in '{path.suffix}': predictions are written as .csv or .npy")
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise GraphKDError(f"{path} cannot be written: it is a folder, or its own folder is not there or closed")


def write_predictions(
    path: Path, proba: NDArray[np.float32], class_names: list[str] | None, ids: Sequence[Any] | None = None
) -> None:
    """Writes probabilities as ``.npy``, or as ``.csv`` a line per row: row, id, class, name, probability.

    Args:
        path: of the file, whole or absent.
        proba: ``[B, C]``.
        class_names: ``C`` names, or nothing, which leaves that column out.
        ids: ``B`` names of the rows, or nothing, which leaves that column out.
    """
    if path.suffix == ".npy":
        buffer = io.BytesIO()
        np.save(buffer, proba, allow_pickle=False)
        write_bytes(path, buffer.getvalue())
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    named = class_names is not None
    identified = ["id"] if ids is not None else []
    writer.writerow(["row", *identified, "class", *(["name"] if named else []), "probability"])
    for row, (best, top) in enumerate(zip(proba.argmax(axis=1), proba.max(axis=1), strict=True)):
        name = [class_names[best]] if class_names is not None else []
        writer.writerow([row, *([ids[row]] if ids is not None else []), best, *name, f"{top:.6f}"])
    write_bytes(path, text.getvalue().encode())


def _read_npy(path: Path) -> tuple[Any, None]:
    return np.load(path, allow_pickle=False), None


def _read_npz(path: Path) -> tuple[Any, Tensor | None]:
    with np.load(path, allow_pickle=False) as arrays:
        if "format" in arrays.files:
            return scipy.sparse.load_npz(path), None
        if "x" not in arrays.files:
            raise GraphKDError(f"{path} holds no array x: it has {', '.join(arrays.files) or 'nothing'}")
        edges = torch.from_numpy(arrays["edge_index"]).long() if "edge_index" in arrays.files else None
        return arrays["x"], edges


def _read_csv(path: Path) -> tuple[Any, None]:
    with path.open(newline="", encoding="utf-8") as file:
        first = file.readline()
    if not first:
        raise GraphKDError(f"{path} is empty: give a line of numbers per row")
    try:
        [float(value) for value in first.strip().split(",")]
        header = 0
    except ValueError:
        header = 1
    return np.loadtxt(path, delimiter=",", skiprows=header, ndmin=2, dtype=np.float32), None
