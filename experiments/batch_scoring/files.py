"""A student and rows, in files of every kind; called by run.py."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from graphkd.datasets import Preprocessing
from graphkd.deploy import load_bundle, write_bundle
from graphkd.deploy.exports.formats import export_bundle
from graphkd.deploy.exports.sample import Sample
from graphkd.encoders import Encoding
from graphkd.students import MLP

FEATURES, CLASSES = 128, 40
PIECE = 2**20
"""Rows that are drawn at a time, and row group of a file: what pyarrow takes by default."""


def write_student(folder: Path) -> None:
    """128-256-256-40 with random weights, which do not change its speed, exported to C and ONNX."""
    if (folder / "exports.json").exists():
        return
    torch.manual_seed(0)
    arguments = {
        "num_features": FEATURES,
        "hidden_dim": 256,
        "num_classes": CLASSES,
        "num_layers": 3,
        "norm": "batch",
    }
    student = MLP(**arguments).eval()
    names = [f"class {number}" for number in range(CLASSES)]
    columns = [f"f{number}" for number in range(FEATURES)]
    write_bundle(folder, student, arguments, Preprocessing(), Encoding(), names, {}, columns)
    x = np.random.default_rng(0).standard_normal((200, FEATURES), dtype=np.float32)
    with torch.no_grad():
        logits = load_bundle(folder).student(torch.from_numpy(x)).logits
    sample = Sample(x[:100], x[100:], logits.argmax(dim=1)[100:], logits.numpy(), "accuracy")
    for to in ("c", "onnx"):
        export_bundle(folder, to, sample, allow_loss=True)


def drawn(rows: int) -> Iterator[tuple[int, np.ndarray]]:
    """Normal numbers, always the same, in pieces; and how many rows came before."""
    for start in range(0, rows, PIECE):
        rng = np.random.default_rng(start)
        yield start, rng.standard_normal((min(PIECE, rows - start), FEATURES), dtype=np.float32)


def write_parquet(file: Path, rows: int) -> None:
    """A column of ids and one per feature, as pyarrow writes them by default, in row groups of ``PIECE`` rows."""
    schema = pa.schema([("id", pa.string()), *((f"f{number}", pa.float32()) for number in range(FEATURES))])
    with pq.ParquetWriter(file, schema) as writer:
        for start, x in drawn(rows):
            ids = pa.array([f"node-{row}" for row in range(start, start + len(x))])
            columns = [pa.array(column) for column in np.ascontiguousarray(x.T)]
            writer.write_table(pa.Table.from_arrays([ids, *columns], schema=schema))


def write_lists(file: Path, rows: int) -> None:
    """One column of lists."""
    kind = pa.list_(pa.float32(), FEATURES)
    with pq.ParquetWriter(file, pa.schema([("features", kind)])) as writer:
        for _, x in drawn(rows):
            writer.write_table(pa.table({"features": pa.FixedSizeListArray.from_arrays(x.reshape(-1), type=kind)}))


def whole(rows: int) -> np.ndarray:
    return np.concatenate([x for _, x in drawn(rows)])


WRITERS: dict[str, Callable[[Path, int], None]] = {
    "parquet": write_parquet,
    "lists.parquet": write_lists,
    "npy": lambda file, rows: np.save(file, whole(rows)),
    "npz": lambda file, rows: np.savez(file, x=whole(rows)),
    "csv": lambda file, rows: np.savetxt(file, whole(rows), fmt="%.6g", delimiter=","),
    "student": lambda folder, _: write_student(folder),
}
"""By the end of the file's name, and the student."""

if __name__ == "__main__":
    WRITERS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
