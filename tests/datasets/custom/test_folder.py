"""``dataset=custom`` from files to predictions, and what may be wrong in the files."""

import csv
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import graphkd
from graphkd import GraphKDError, load_dataset
from graphkd.runs import read_config
from tests.datasets.custom.graphs import X, arrays, blocks, edges, nodes, write_folder
from tests.test_cli import FAST, command


def test_from_a_folder_to_predictions_by_id(tmp_path: Path) -> None:
    write_folder(tmp_path / "forest", *blocks())
    args = ["dataset=custom", "dataset.path=forest", "method=infgrand", *FAST]
    done = command("distill", *args, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("custom · fractions split · transductive")
    run = "runs/forest-fractions-transductive-gcn-infgrand-none"
    assert f"run folder: {run}\n" in done.stdout
    assert command("evaluate", run, cwd=tmp_path).returncode == 0
    assert command("predict", run, "graph", "out.csv", cwd=tmp_path).stdout == "60 predictions: out.csv\n"
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [f"tree-{index:03}" for index in range(60)]
    assert {row["name"] for row in rows} <= {"oak", "elm", "fir"}


@pytest.mark.slow
def test_a_run_goes_on_with_the_same_files_only_and_finds_them_where_they_went(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "forest", *blocks())
    args = ["distill", "dataset=custom", "dataset.path=forest", "output_dir=run", *FAST]
    assert command(*args, cwd=tmp_path).returncode == 0
    assert read_config(tmp_path / "run")["dataset"]["split"] == "fractions"
    assert command(*args, cwd=tmp_path).returncode == 0
    moved = tmp_path / "moved"
    shutil.copytree(folder, moved)
    table = pd.read_csv(folder / "nodes.csv")
    table.assign(height=table["height"] + 1).to_csv(folder / "nodes.csv", index=False)
    refused = command(*args, cwd=tmp_path)
    assert refused.returncode == 2
    assert "holds a run with another dataset.fingerprint" in refused.stderr
    shutil.rmtree(folder)
    assert "forest is no folder" in command("evaluate", "run", cwd=tmp_path).stderr
    assert command("evaluate", "run", "--data-dir", "moved", cwd=tmp_path).returncode == 0


def test_the_library_s_run_is_evaluated_on_a_weighted_directed_graph(tmp_path: Path) -> None:
    table, ties = blocks()
    folder = write_folder(tmp_path / "forest", table, ties.assign(weight=2.0))
    data = load_dataset("custom", path=folder, directed=True, seed=3)
    assert data.graphkd["path"] == str(folder)
    short = graphkd.Training(max_epochs=3)
    graphkd.distill(data, method="infgrand", training=short, seed=1).save(tmp_path / "run")
    assert command("evaluate", "run", cwd=tmp_path).returncode == 0
    done = command("predict", "run", "graph", "out.csv", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_masks_in_the_files_are_the_default_and_can_be_left_aside(tmp_path: Path) -> None:
    write_folder(tmp_path)
    assert load_dataset("custom", path=tmp_path).graphkd["split"] == "masks"
    drawn = load_dataset("custom", path=tmp_path, split="fractions", seed=1)
    assert (drawn.graphkd["split"], int(drawn.train_mask.sum())) == ("fractions", 4)
    write_folder(tmp_path, nodes(split=None))
    with pytest.raises(GraphKDError, match=r"holds no masks: add a column split, or use dataset\.split=fractions"):
        load_dataset("custom", path=tmp_path, split="masks")
    with pytest.raises(GraphKDError, match="split=random needs 500 validation and 1000 test nodes"):
        load_dataset("custom", path=tmp_path, split="random")
    with pytest.raises(GraphKDError, match="custom has no split 'ogb': choose masks or fractions or random"):
        load_dataset("custom", path=tmp_path, split="ogb")


def test_every_split_that_is_drawn_can_be_drawn_on_one_s_own_graph(tmp_path: Path) -> None:
    count = 1700
    table = pd.DataFrame({"id": [f"n{at}" for at in range(count)], "label": np.arange(count) % 2, "size": 1.0})
    ties = pd.DataFrame({"source": table["id"][:-2].to_numpy(), "target": table["id"][1:-1].to_numpy()})
    write_folder(tmp_path, table, ties)  # the last node stands alone
    drawn = load_dataset("custom", path=tmp_path, split="random")
    assert [int(drawn[f"{part}_mask"].sum()) for part in ("train", "val", "test")] == [40, 500, 1000]
    drawn = load_dataset("custom", path=tmp_path, split="cpf", seed=1)
    assert drawn.node_ids == table["id"].tolist()[:-1]
    assert drawn.feature_names == ["size"]
    assert [int(drawn[f"{part}_mask"].sum()) for part in ("train", "val", "test")] == [40, 60, count - 1 - 100]


def test_csv_keeps_ids_as_they_are_written_and_numbers_as_labels(tmp_path: Path) -> None:
    names = ["007", "07", "7", "NA", "None", "1e3", "a,b", "ü"]
    users = nodes(id=names, label=[2.0, 0, None, 10, -1, 2, 0, 10], split=None)
    write_folder(tmp_path, users, pd.DataFrame({"source": ["007", "NA"], "target": ["7", "ü"]}))
    data = load_dataset("custom", path=tmp_path, directed=True)
    assert data.node_ids == names
    assert data.class_names == [0, 2, 10]
    assert data.y.tolist() == [1, 0, -1, 2, -1, 1, 0, 2]
    assert data.edge_index.tolist() == [[0, 3], [2, 7]]


def test_without_ids_nodes_are_row_numbers_and_there_may_be_no_edge(tmp_path: Path) -> None:
    write_folder(tmp_path, nodes(id=None), pd.DataFrame({"source": [0, 7], "target": [1, 7]}))
    data = load_dataset("custom", path=tmp_path)
    assert data.edge_index.tolist() == [[0, 1, 7], [1, 0, 7]]
    assert "node_ids" not in data
    write_folder(tmp_path, nodes(id=None), pd.DataFrame({"source": [], "target": []}))
    assert load_dataset("custom", path=tmp_path).num_edges == 0


def test_one_file_of_arrays_without_what_is_optional(tmp_path: Path) -> None:
    np.savez(tmp_path / "graph.npz", x=X, edge_index=np.array([[0], [1]]), y=np.array([0, 1] * 4))
    data = load_dataset("custom", path=tmp_path)
    assert sorted(data.keys()) == [
        "edge_index",
        "graphkd",
        "metric",
        "test_mask",
        "train_mask",
        "val_mask",
        "x",
        "y",
    ]
    assert data.graphkd["split"] == "fractions"
    torch.testing.assert_close(data.x, torch.from_numpy(X))


Spoil = Callable[[Path], Any]


def table(users: dict[str, Any] | None = None, ties: dict[str, Any] | None = None) -> Spoil:
    return lambda folder: write_folder(folder, nodes(**(users or {})), edges(**(ties or {})))


def archive(**changes: Any) -> Spoil:
    return lambda folder: np.savez(folder / "graph.npz", **arrays(**changes))


def both(*spoils: Spoil) -> Spoil:
    return lambda folder: [spoil(folder) for spoil in spoils]


def file(name: str, content: bytes = b"?") -> Spoil:
    return lambda folder: (folder / name).write_bytes(content)


def gone(name: str) -> Spoil:
    return lambda folder: (folder / name).unlink()


MISTAKES: dict[str, tuple[Spoil, str]] = {
    "an empty folder": (lambda folder: None, "holds neither of nodes.csv and nodes.parquet"),
    "no edges": (both(table(), gone("edges.csv")), "holds neither of edges.csv and edges.parquet"),
    "nodes twice": (both(table(), file("nodes.parquet")), "holds both of nodes.csv and nodes.parquet"),
    "two forms": (both(table(), archive()), "holds both graph.npz and edges.csv: keep one of the two forms"),
    "an empty csv": (both(table(), file("nodes.csv", b"")), "nodes.csv is empty"),
    "bytes for a csv": (both(table(), file("edges.csv", b"\xff\x00\xfe")), "edges.csv is no UTF-8 text"),
    "rows of two lengths": (
        both(table(), file("edges.csv", b"source,target\na,b\na,b,c,d\n")),
        "edges.csv line 3: has 4 cells, 2 expected: correct the line",
    ),
    "a name twice": (
        both(table(), file("edges.csv", b"source,target,target\na,b,b\n")),
        "edges.csv has 2 columns 'target': rename all but one",
    ),
    "a line break in a cell": (
        both(table(), file("edges.csv", b'source,target\n"a\n",b\n')),
        "edges.csv line 2 holds a quote that does not end on it",
    ),
    "an empty line": (
        both(table(), file("edges.csv", b"source,target\n\na,b\n")),
        "edges.csv line 2: has 0 cells, 2 expected",
    ),
    "a damaged parquet": (
        both(table(), gone("nodes.csv"), file("nodes.parquet", b"PAR1")),
        "nodes.parquet cannot be read as parquet",
    ),
    "no label column": (table({"label": None}), "nodes.csv has no column 'label'"),
    "a text among features": (table({"town": ["Rome"] * 8}), "nodes.csv line 2: column 'town' holds 'Rome'"),
    "a gap among features": (table({"a": [1.0, None] * 4}), "nodes.csv line 3: column 'a' holds nothing"),
    "an id twice": (table({"id": ["x"] * 8}), "nodes.csv column 'id' holds 'x' twice"),
    "an edge from nowhere": (table({"id": [*"abcdefgh"]}), "edges.csv column 'source' names 'ann'"),
    "an index without a name": (
        both(table(), lambda folder: nodes().to_csv(folder / "nodes.csv")),
        "nodes.csv has a column without a name",
    ),
    "a column of edges": (table(None, {"wieght": 1.0}), "edges.csv has a column 'wieght', which is not read"),
    "a negative weight": (table(None, {"weight": -1.0}), "edges.csv column 'weight' holds -1.0 for edge 0"),
    "one mask of three": (
        table({"split": None, "train_mask": [True] * 8}),
        "nodes.csv must have split, or all of",
    ),
    "masks and a split": (
        table({"train_mask": 1, "val_mask": 0, "test_mask": 0}),
        "nodes.csv must have split, or all of",
    ),
    "names without ids": (table({"id": None}), "edges.csv column 'source' must name nodes by row number"),
    "rows that are not there": (
        both(table({"id": None}), file("edges.csv", b"source,target\n0,8\n")),
        "edges.csv column 'target' must name rows 0 to 7",
    ),
    "features twice": (
        both(table(), lambda folder: np.save(folder / "features.npy", X)),
        "nodes.csv has a column 'a' beside a features file",
    ),
    "features of two kinds": (
        both(table(), file("features.npy"), file("features.npz")),
        "holds both features.npz",
    ),
    "damaged features": (both(table(), file("features.npz")), "features.npz cannot be read as features"),
    "features of too few": (
        both(table({"a": None, "b": None}), lambda folder: np.save(folder / "features.npy", X[:5])),
        "nodes.csv column 'id' is for 8 nodes, the features file in .* has 5 rows",
    ),
    "a damaged archive": (file("graph.npz"), "graph.npz cannot be read as plain arrays"),
    "pickled arrays": (
        archive(y=np.array(["a", None] * 4, dtype=object)),
        "graph.npz cannot be read as plain arrays",
    ),
    "no array x": (archive(x=None), "graph.npz holds no array x: it has edge_index, y"),
    "no array y": (archive(y=None), "graph.npz holds no array y"),
    "an array nobody reads": (
        archive(labels=X),
        "graph.npz holds 'labels', which is not read: rename it, there are x",
    ),
    "two forms of x": (archive(x_data=X), "graph.npz holds both x and x_data"),
    "half a sparse matrix": (archive(x=None, x_data=X), "graph.npz holds no array x_indices"),
    "no sparse matrix": (
        archive(x=None, x_data=np.ones(1), x_indices=[9], x_indptr=[0, 1], x_shape=[1, 2]),
        "graph.npz arrays x_data to x_shape are no CSR matrix",
    ),
    "edges of another shape": (
        archive(edge_index=X),
        r"array edge_index must be \[2, E\], but has shape \[8, 2\]",
    ),
    "edges to nowhere": (archive(edge_index=[[0], [8]]), "array edge_index must name rows 0 to 7"),
    "two masks": (archive(val_mask=None), "graph.npz holds train_mask and test_mask only"),
    "a mask of another length": (archive(val_mask=[True]), "val_mask of .*graph.npz has 1 entries for 8 nodes"),
    "weights of another length": (archive(edge_weight=[1.0]), r"array edge_weight has shape \[1\] for 5 edges"),
    "ids of another length": (archive(ids=["a"]), "array ids is for 1 nodes, .* array x has 8 rows"),
    "x twice": (both(archive(), file("features.npy")), "features.npy cannot be read as features"),
    "x beside": (
        both(archive(), lambda folder: np.save(folder / "features.npy", X)),
        "graph.npz holds features, and so does a features file beside it",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_name_the_file_and_the_column(mistake: str, tmp_path: Path) -> None:
    spoil, message = MISTAKES[mistake]
    spoil(tmp_path)
    with pytest.raises(GraphKDError, match=message) as caught:
        load_dataset("custom", path=tmp_path, columns="none" if "features" in mistake else "auto")
    assert "\n" not in str(caught.value)


def test_parquet_without_pyarrow_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folder(tmp_path)
    nodes().to_parquet(tmp_path / "nodes.parquet")
    (tmp_path / "nodes.csv").unlink()

    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(GraphKDError, match=r"nodes.parquet needs pyarrow: pip install 'graphkd\[parquet\]'"):
        load_dataset("custom", path=tmp_path)


@pytest.mark.slow
def test_the_path_belongs_to_custom_and_custom_needs_it(tmp_path: Path) -> None:
    for overrides, message in {
        ("dataset=custom",): "dataset=custom needs dataset.path",
        ("dataset=custom", "dataset.path=nowhere"): "dataset.path=nowhere is no folder",
        ("dataset.path=somewhere",): "dataset.path is for dataset=custom, not for digits",
    }.items():
        done = command("distill", *overrides, cwd=tmp_path)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_index_with_a_name_is_a_column_of_a_parquet_file(tmp_path: Path) -> None:
    nodes = pd.DataFrame({"id": range(29, -1, -1), "f": range(30), "label": [0, 1] * 15}).set_index("id")
    nodes.to_parquet(tmp_path / "nodes.parquet")
    pd.DataFrame({"source": [29, 28], "target": [28, 27]}).to_parquet(tmp_path / "edges.parquet")
    data = graphkd.load_dataset("custom", path=tmp_path, directed=True)
    assert data.node_ids[:2] == [29, 28]
    assert data.edge_index.tolist() == [[0, 1], [1, 2]]
