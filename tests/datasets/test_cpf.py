from pathlib import Path

import pytest
import torch

from graphkd import GraphKDError, load_dataset
from graphkd.datasets import Graph, Preprocessing
from tests.datasets.npz_files import graph_arrays, write


def test_the_largest_component_with_20_and_30_nodes_per_class(tmp_path: Path) -> None:
    write(tmp_path / "CPF" / "npz" / "cora.npz", graph_arrays())
    data = load_dataset("cpf_cora", tmp_path, seed=3, download="never")
    graph = Graph.from_data(data)
    assert (graph.num_nodes, graph.split, graph.preprocessing) == (234, "cpf", Preprocessing())
    assert data.node_ids == list(range(234))
    assert [len(part) for part in (graph.train, graph.val, graph.test)] == [60, 90, 84]
    assert load_dataset("cpf_cora", tmp_path, split="fractions", download="never").num_nodes == 240


def test_where_to_get_it(tmp_path: Path) -> None:
    write(tmp_path / "CPF" / "npz" / "cora.npz", graph_arrays())
    message = (
        r"cpf_citeseer is not in data_dir=.*: put citeseer\.npz into .*CPF/npz "
        r"\(https://github\.com/BUPT-GAMMA/CPF, folder data/npz\)$"
    )
    with pytest.raises(GraphKDError, match=message):
        load_dataset("cpf_citeseer", tmp_path, download="yes")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "nodes", "features", "component"),
    [("cpf_cora", 2708, 1433, 2485), ("cpf_citeseer", 3312, 3703, 2110)],
)
def test_the_real_files(name: str, nodes: int, features: int, component: int, data_dir: Path) -> None:
    graph = Graph.from_data(load_dataset(name, data_dir, download="never"))
    classes = graph.num_classes
    assert (graph.num_nodes, graph.num_features) == (component, features)
    counted = [20 * classes, 30 * classes, component - 50 * classes]
    assert [len(part) for part in (graph.train, graph.val, graph.test)] == counted
    assert load_dataset(name, data_dir, split="random", download="never").num_nodes == nodes


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cpf_cora", "cpf_citeseer"])
def test_the_real_files_equal_pyg(name: str, data_dir: Path) -> None:
    from torch_geometric.io import read_npz
    from torch_geometric.transforms import LargestConnectedComponents

    theirs = read_npz(str(data_dir / "CPF" / "npz" / f"{name.removeprefix('cpf_')}.npz"))
    theirs = LargestConnectedComponents()(theirs)
    ours = load_dataset(name, data_dir, download="never")
    assert torch.equal(torch.unique(ours.edge_index, dim=1), torch.unique(theirs.edge_index, dim=1))
    assert torch.equal(ours.y, theirs.y)
    assert torch.equal((ours.x.to_dense() > 0).float(), theirs.x)
