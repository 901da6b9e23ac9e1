"""A student and rows in files of every kind."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse

from graphkd.deploy import load_bundle, write_bundle
from graphkd.deploy.batch.columns import Wanted
from graphkd.deploy.row_predictor import RowPredictor
from graphkd.encoders import Encoding, Propagation
from tests.deploy.bundles import STEPS, student

NAMES = ["height", "girth", "age"]
CLASSES = ["oak", "elm, white"]
WANTED = Wanted(3)


def table(rows: int = 25, seed: int = 0) -> np.ndarray:
    """Numbers that are exact in every file, a third of them 0."""
    rng = np.random.default_rng(seed)
    return (rng.integers(-8, 9, (rows, 3)) / 4 * (rng.random((rows, 3)) < 0.7)).astype(np.float32)


def with_nan(x: np.ndarray) -> np.ndarray:
    """Rows 5 and 6, and 17, cannot be scored."""
    x[5, 1], x[6, 2], x[17] = np.nan, -np.inf, np.nan
    return x


def bundle(folder: Path, names: list[str] | None = None, hops: int = 0) -> Path:
    model = student("none", 2, num_features=3, num_classes=2)
    sizes = {"num_features": 3, "hidden_dim": 7, "num_classes": 2, "num_layers": 2}
    write_bundle(
        folder / "bundle", model, sizes, STEPS, Encoding((Propagation(hops),)), CLASSES, {"dataset": "x"}, names
    )
    return folder / "bundle"


def numpy_model(folder: Path, names: list[str] | None = None) -> RowPredictor:
    model = load_bundle(bundle(folder, names), "numpy")
    assert isinstance(model, RowPredictor)
    return model


def ids(rows: int) -> list[str]:
    return [f"{row:03}" for row in range(rows)]


def frame(x: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(x, columns=NAMES).assign(id=ids(len(x)))


def write_all(folder: Path, x: np.ndarray) -> dict[str, Path]:
    """The same rows in every form that is read."""
    folder.mkdir(exist_ok=True)
    sparse = scipy.sparse.csr_matrix(x)
    np.save(folder / "array.npy", x)
    np.save(folder / "columns.npy", np.asfortranarray(x.astype(np.float64)))
    np.savez(folder / "array.npz", x=x, ids=np.array(ids(len(x))))
    np.savez_compressed(folder / "columns.npz", x=np.asfortranarray(x))
    scipy.sparse.save_npz(folder / "csr.npz", sparse)
    scipy.sparse.save_npz(folder / "coo.npz", sparse.tocoo(), compressed=False)
    frame(x).to_csv(folder / "named.csv", index=False)
    np.savetxt(folder / "bare.csv", x, delimiter=",")
    frame(x).to_csv(folder / "named.tsv", index=False, sep="\t")
    write_objects(folder / "named.jsonl", x)
    for name in ("named.csv", "named.tsv", "named.jsonl"):
        (folder / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes(), mtime=0))
    frame(x).to_parquet(folder / "named.parquet", row_group_size=4)
    write_lists(folder / "lists.parquet", x, fixed=False)
    write_lists(folder / "fixed.parquet", x, fixed=True)
    return {file.name: file for file in folder.iterdir()}


def write_objects(file: Path, x: np.ndarray) -> None:
    """An object per line, with names in an order of its own, and infinite numbers as too large ones."""
    rows = [
        dict(zip([*NAMES, "id"], [*row, name], strict=True))
        for row, name in zip(x.tolist(), ids(len(x)), strict=True)
    ]
    turned = [dict([*row.items()][at % 4 :] + [*row.items()][: at % 4]) for at, row in enumerate(rows)]
    text = "".join(json.dumps(row) + "\n" for row in turned)
    file.write_text(text.replace("NaN", "null").replace("Infinity", "1e999"))


def write_lists(file: Path, x: np.ndarray, fixed: bool) -> None:
    kind = pa.list_(pa.float64(), 3 if fixed else -1)
    columns = {"id": ids(len(x)), "features": pa.array(x.tolist(), kind)}
    pq.write_table(pa.table(columns), file, row_group_size=7)
