import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch_geometric.datasets import HeterophilousGraphDataset

from graphkd import GraphKDError, load_dataset
from graphkd.datasets import Graph
from tests.datasets.npz_files import NUM_NODES, splits_arrays, write

MASKS = ("train_mask", "val_mask", "test_mask")


def place(root: Path, arrays: dict[str, Any], name: str = "minesweeper") -> None:
    write(root / "HeterophilousGraphDataset" / name / "raw" / f"{name}.npz", arrays)


@pytest.mark.parametrize("name", ["minesweeper", "tolokers"])
def test_the_same_graph_as_pyg_and_the_seed_picks_the_stored_split(name: str, tmp_path: Path) -> None:
    place(tmp_path, splits_arrays(), name)
    theirs = HeterophilousGraphDataset(str(tmp_path / "HeterophilousGraphDataset"), name)[0]
    for seed, column in ((0, 0), (7, 7), (12, 2), (2022, 2)):
        ours = load_dataset(name, tmp_path, seed=seed, download="never")
        assert_equal_to_pyg(ours, theirs, column)
    assert Graph.from_data(ours).metric == "roc_auc"
    directed = load_dataset(name, tmp_path, directed=True, download="never")
    assert torch.equal(directed.edge_index, ours.edge_index)


def test_a_drawn_split_replaces_the_stored_ones(tmp_path: Path) -> None:
    place(tmp_path, splits_arrays())
    data = load_dataset("minesweeper", tmp_path, split="fractions", download="never")
    assert [int(data[mask].sum()) for mask in MASKS] == [144, 48, 48]
    assert Graph.from_data(data).metric == "roc_auc"


@pytest.mark.parametrize(
    "change",
    [
        {"edges": np.array([[0, NUM_NODES]])},
        {"edges": np.array([0, 1])},
        {"edges": np.array([["a", "b"]])},
        {"node_labels": np.zeros(3, dtype=int)},
        {"node_features": np.ones(NUM_NODES)},
        {"val_masks": np.ones((10, NUM_NODES))},
        {"val_masks": np.ones((9, NUM_NODES), dtype=bool)},
        {"test_masks": np.ones(NUM_NODES, dtype=bool)},
        {mask: np.ones((0, NUM_NODES), dtype=bool) for mask in ("train_masks", "val_masks", "test_masks")},
    ],
)
def test_a_foreign_archive_is_one_line(change: dict[str, Any], tmp_path: Path) -> None:
    place(tmp_path, {**splits_arrays(), **change})
    with pytest.raises(GraphKDError, match="does not hold a graph"):
        load_dataset("minesweeper", tmp_path, download="never")


def assert_equal_to_pyg(ours, theirs, column: int) -> None:
    assert torch.equal(ours.x, theirs.x)
    assert torch.equal(ours.y, theirs.y)
    assert torch.equal(torch.unique(ours.edge_index, dim=1), torch.unique(theirs.edge_index, dim=1))
    assert ours.num_edges == theirs.num_edges
    for mask in MASKS:
        assert torch.equal(ours[mask], theirs[mask][:, column])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "nodes", "edges", "features"), [("minesweeper", 10000, 78804, 7), ("tolokers", 11758, 1038000, 10)]
)
def test_the_real_files(name: str, nodes: int, edges: int, features: int, data_dir: Path, tmp_path: Path) -> None:
    ours = load_dataset(name, data_dir, seed=14, download="never")
    graph = Graph.from_data(ours)
    assert (graph.num_nodes, ours.num_edges, graph.num_features, graph.num_classes) == (nodes, edges, features, 2)
    (tmp_path / name / "raw").mkdir(parents=True)
    file = Path(name) / "raw" / f"{name}.npz"
    shutil.copyfile(data_dir / "HeterophilousGraphDataset" / file, tmp_path / file)
    assert_equal_to_pyg(ours, HeterophilousGraphDataset(str(tmp_path), name)[0], 4)
