"""The kinds of files that ``inputs.py`` spoils: how each is written whole, and what reads it."""

from __future__ import annotations

import pickle
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

X = np.abs(np.random.default_rng(0).normal(size=(30, 6))).round(3).astype(np.float32)


def write_bundle(folder: Path) -> None:
    """A student with exports to ONNX and C."""
    import graphkd

    data = graphkd.from_scipy(scipy.sparse.eye_array(30, k=1, format="csr"), X, np.arange(30) % 3)
    run = graphkd.distill(data, training=graphkd.Training(max_epochs=3), baseline=False)
    run.save(folder / "run")
    for to in ("onnx", "c"):
        run.export(folder / "run", to, allow_loss=True)
    (folder / "run" / "bundle").rename(folder / "bundle")
    for file in sorted((folder / "run").rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()


def read_bundle(runtime: str) -> Callable[[Path], Any]:
    """Predicts with a runtime."""

    def read(folder: Path) -> Any:
        import graphkd

        return graphkd.load_bundle(folder / "bundle", runtime).predict_proba(X)

    return read


def write_pickles(folder: Path) -> None:
    matrix = scipy.sparse.csr_matrix(X)
    graph = {node: [int(end) for end in np.random.default_rng(node).integers(30, size=4)] for node in range(30)}
    (folder / "ind.cora.allx").write_bytes(pickle.dumps(matrix, 2))
    (folder / "ind.cora.ally").write_bytes(pickle.dumps(np.eye(3, dtype=np.int32)[np.arange(30) % 3], 2))
    (folder / "ind.cora.graph").write_bytes(pickle.dumps(defaultdict(list, graph), 2))


def read_pickles(folder: Path) -> Any:
    from graphkd.datasets.pickles import read_pickle

    return [read_pickle(file) for file in sorted(folder.iterdir())]


def write_table(folder: Path, kind: str) -> None:
    import pandas as pd

    nodes = pd.DataFrame(X, columns=list("abcdef")).assign(
        id=[f"n{at}" for at in range(30)], label=np.arange(30) % 3
    )
    edges = pd.DataFrame(
        {"source": nodes["id"][:-1].to_numpy(), "target": nodes["id"][1:].to_numpy(), "weight": 1.5}
    )
    for name, frame in (("nodes", nodes), ("edges", edges)):
        file = folder / f"{name}.{kind}"
        frame.to_csv(file, index=False) if kind == "csv" else frame.to_parquet(file)


def write_npz(folder: Path) -> None:
    matrix = scipy.sparse.csr_matrix(X)
    parts = {
        "x_data": matrix.data,
        "x_indices": matrix.indices,
        "x_indptr": matrix.indptr,
        "x_shape": matrix.shape,
    }
    edges = np.stack([np.arange(29), np.arange(1, 30)])
    np.savez(folder / "graph.npz", **parts, edge_index=edges, y=np.arange(30) % 3, ids=np.arange(30))


def read_graph(folder: Path) -> Any:
    import graphkd

    return graphkd.load_dataset("custom", path=folder)


def write_rows(folder: Path) -> None:
    import pandas as pd

    scipy.sparse.save_npz(folder / "sparse.npz", scipy.sparse.csr_matrix(X))
    np.savez(folder / "dense.npz", x=X, ids=np.arange(30))
    np.save(folder / "rows.npy", X)
    pd.DataFrame(X, columns=list("abcdef")).to_csv(folder / "rows.csv", index=False)
    pd.DataFrame(X, columns=list("abcdef")).to_parquet(folder / "rows.parquet")


def read_rows(folder: Path) -> Any:
    from graphkd.deploy.batch.columns import Wanted
    from graphkd.deploy.batch.reading import open_rows, whole

    wanted = Wanted(6)
    return [[block.x for block in whole(open_rows(file, wanted), file, 8, 0)] for file in sorted(folder.iterdir())]


def write_run(folder: Path) -> None:
    import graphkd

    graphkd.distill(graphkd.load_dataset("digits"), training=graphkd.Training(max_epochs=1)).save(folder)
    for file in sorted(folder.rglob("*"), reverse=True):
        if file.name not in ("config.yaml", "metrics.json") and file != folder:
            file.rmdir() if file.is_dir() else file.unlink()


def read_run(folder: Path) -> Any:
    from graphkd.reports import find_runs, grouped, to_markdown

    return to_markdown(grouped(find_runs([str(folder)])))


KINDS: dict[str, tuple[Callable[[Path], None], Callable[[Path], Any]]] = {
    "Planetoid's pickles": (write_pickles, read_pickles),
    "nodes.csv, edges.csv": (lambda folder: write_table(folder, "csv"), read_graph),
    "nodes.parquet, edges.parquet": (lambda folder: write_table(folder, "parquet"), read_graph),
    "graph.npz": (write_npz, read_graph),
    "rows in five formats": (write_rows, read_rows),
    "config.yaml, metrics.json": (write_run, read_run),
    **{f"bundle, {name}": (write_bundle, read_bundle(name)) for name in ("torch", "numpy", "onnx", "native")},
}
