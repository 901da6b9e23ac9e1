"""``dataset=custom`` from folders of parquet parts: the same data as from single files."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import graphkd
from graphkd import GraphKDError, load_dataset
from graphkd.datasets import Graph
from tests.datasets.custom.graphs import blocks
from tests.ingest.tables import write_parts, write_whole

pytest.importorskip("duckdb")


def both(folder: Path, nodes: pd.DataFrame, edges: pd.DataFrame, **options: Any) -> tuple[Any, Any]:
    """The data of single files, and that of the same rows in parts."""
    whole, parts = (
        write_whole(folder / "whole", nodes, edges),
        write_parts(folder / "parts", nodes, edges, (20, 33)),
    )
    return tuple(
        load_dataset("custom", path=path, cache_dir=folder / "cache", **options) for path in (whole, parts)
    )


@pytest.mark.parametrize("directed", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_the_data_and_the_graph_are_those_of_single_files(directed: bool, weighted: bool, tmp_path: Path) -> None:
    nodes, edges = blocks()
    edges = pd.concat([edges, edges[:9], edges[:4].assign(target=edges["source"][:4])])  # duplicates, self-loops
    if weighted:
        edges = edges.assign(weight=np.random.default_rng(0).random(len(edges)))
    whole, parts = both(tmp_path, nodes, edges, directed=directed, columns="auto")
    assert sorted(parts.keys()) == sorted([*whole.keys(), "mapped"])
    for key, value in whole:
        if isinstance(value, torch.Tensor):
            assert torch.equal(parts[key], value), key
    assert (parts.node_ids, parts.class_names) == (whole.node_ids, whole.class_names)
    assert parts.graphkd["fingerprint"] == whole.graphkd["fingerprint"]
    expected, found = Graph.from_data(whole), Graph.from_data(parts)
    assert found.fingerprint() == expected.fingerprint()
    assert found.adj.matrix.t().equals(expected.adj.matrix.t())
    assert found.adj.normalize().equals(expected.adj.normalize())
    assert found.adj.matrix.col.data_ptr() == parts.mapped.incoming.col.data_ptr()  # nothing was sorted again


def test_it_trains_from_a_folder_of_parts(tmp_path: Path) -> None:
    whole, parts = both(tmp_path, *blocks())
    short = graphkd.Training(max_epochs=3)
    runs = [
        graphkd.distill(data, training=short, baseline=False, cache_dir=tmp_path / "c") for data in (whole, parts)
    ]
    assert runs[0].metrics["mean"] == runs[1].metrics["mean"]


def test_edges_that_were_changed_are_not_read_from_the_files(tmp_path: Path) -> None:
    _, parts = both(tmp_path, *blocks())
    fewer = copy.copy(parts)
    fewer.edge_index = parts.edge_index[:, 5:]
    with pytest.warns(UserWarning, match="were changed after it was loaded"):
        assert Graph.from_data(fewer).adj.matrix.nnz == parts.num_edges - 5
    parts.edge_index[:, 0] = 0
    with pytest.warns(UserWarning, match="were changed after it was loaded"):
        assert Graph.from_data(parts).adj.matrix.col[0] == 0
    again = load_dataset("custom", path=tmp_path / "parts", cache_dir=tmp_path / "cache")
    assert int(again.edge_index[:, 0].sum()) > 0


def test_the_largest_component_is_the_same(tmp_path: Path) -> None:
    count = 700
    nodes = pd.DataFrame({"id": [f"n{at}" for at in range(count)], "label": np.arange(count) % 2, "size": 1.0})
    edges = pd.DataFrame({"source": nodes["id"][:-2].to_numpy(), "target": nodes["id"][1:-1].to_numpy()})
    whole, parts = both(tmp_path, nodes, edges, split="cpf")
    assert parts.node_ids == whole.node_ids == nodes["id"].tolist()[:-1]
    assert torch.equal(parts.edge_index, whole.edge_index)


def test_a_graph_for_links_needs_no_labels(tmp_path: Path) -> None:
    nodes, edges = blocks()
    whole, parts = both(tmp_path, nodes.drop(columns="label"), edges, task="link")
    assert "y" not in parts
    assert torch.equal(parts.edge_index, whole.edge_index)


def test_nodes_alone_are_in_parts(tmp_path: Path) -> None:
    nodes, edges = blocks()
    folder = write_parts(tmp_path / "parts", nodes.assign(age=np.arange(len(nodes))), edges)
    for file in (folder / "edges").iterdir():
        file.unlink()
    (folder / "edges").rmdir()
    edges.to_csv(folder / "edges.csv", index=False)
    first = pd.read_parquet(folder / "nodes/part-0.parquet")
    first.astype({"age": np.int8})[first.columns[::-1]].to_parquet(folder / "nodes/part-0.parquet", index=False)
    data = load_dataset("custom", path=folder, cache_dir=tmp_path, columns="none")
    assert data.node_ids == nodes["id"].tolist()
    assert data.x[:, data.feature_names.index("age")].tolist() == list(range(len(nodes)))
    assert "mapped" not in data


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda part: part.drop(columns="height"),
            r"of .*part-2\.parquet and .*part-0\.parquet only one has a column ",
        ),
        (
            lambda part: part.assign(height=1),
            r"part-2\.parquet column 'height' holds int64, .*part-0\.parquet double",
        ),
        (
            lambda part: part.assign(height="x"),
            r"parts of .*nodes differ in types \(.*\): give all parts the same",
        ),
        (
            lambda part: part.set_index(pd.RangeIndex(len(part), name="no")),
            r"holds 'no' as pandas' index alone: write",
        ),
    ],
)
def test_parts_of_nodes_have_the_same_columns(change: Any, message: str, tmp_path: Path) -> None:
    folder = write_parts(tmp_path / "parts", *blocks())
    file = folder / "nodes/part-2.parquet"
    change(pd.read_parquet(file)).to_parquet(file)
    with pytest.raises(GraphKDError, match=message):
        load_dataset("custom", path=folder, cache_dir=tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("edges.csv", r"holds both edges\.csv and the folder edges: keep one of them"),
        ("nodes.parquet", r"holds both nodes\.parquet and the folder nodes: keep one of them"),
        ("graph.npz", r"holds both graph\.npz and edges: keep one of the two forms"),
    ],
)
def test_a_table_has_one_form(name: str, message: str, tmp_path: Path) -> None:
    folder = write_parts(tmp_path / "parts", *blocks())
    (folder / name).touch()
    with pytest.raises(GraphKDError, match=message):
        load_dataset("custom", path=folder, cache_dir=tmp_path)
