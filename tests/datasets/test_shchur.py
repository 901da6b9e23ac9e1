import shutil
from pathlib import Path

import pytest
import torch
from torch_geometric.datasets import Amazon, Coauthor

from graphkd import load_dataset
from graphkd.datasets import Graph, Preprocessing
from graphkd.sparse import SparseMatrix
from tests.datasets.npz_files import NUM_NODES, graph_arrays, write
from tests.memory import peak_growth

FILES = {
    "photo": ("Amazon/Photo/raw/amazon_electronics_photo.npz", Amazon),
    "computers": ("Amazon/Computers/raw/amazon_electronics_computers.npz", Amazon),
    "cs": ("Coauthor/CS/raw/ms_academic_cs.npz", Coauthor),
    "physics": ("Coauthor/Physics/raw/ms_academic_phy.npz", Coauthor),
}


@pytest.mark.parametrize("name", FILES)
def test_the_same_graph_as_pyg_from_a_folder_that_is_only_read(name: str, tmp_path: Path) -> None:
    file, pyg = FILES[name]
    write(tmp_path / file, graph_arrays())
    before = sorted(tmp_path.rglob("*"))
    ours = load_dataset(name, tmp_path, split="fractions", download="never")
    assert sorted(tmp_path.rglob("*")) == before
    assert_equal_to_pyg(ours, pyg(str(tmp_path / file.split("/")[0]), name)[0])
    graph = Graph.from_data(ours)
    assert (graph.num_nodes, graph.metric) == (NUM_NODES, "accuracy")
    assert isinstance(graph.x, SparseMatrix)
    assert (graph.preprocessing, float(graph.x.value.max())) == (Preprocessing(), 8.0)


def test_binary_features_are_a_choice(tmp_path: Path) -> None:
    write(tmp_path / FILES["cs"][0], graph_arrays())
    data = load_dataset("cs", tmp_path, split="fractions", features="binary", download="never")
    assert Graph.from_data(data).x.value.unique().tolist() == [1.0]


def assert_equal_to_pyg(ours, theirs) -> None:
    assert ours.x.layout == torch.sparse_csr
    assert torch.equal((ours.x.to_dense() > 0).float(), theirs.x)
    assert torch.equal(torch.unique(ours.edge_index, dim=1), torch.unique(theirs.edge_index, dim=1))
    assert ours.num_edges == theirs.num_edges
    assert torch.equal(ours.y, theirs.y)


COUNTS = [
    ("photo", 7650, 238162, 745, 8, 7487),
    ("computers", 13752, 491722, 767, 10, 13381),
    ("cs", 18333, 163788, 6805, 15, 18333),
    ("physics", 34493, 495924, 8415, 5, 34493),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "nodes", "edges", "features", "classes", "component"), COUNTS)
def test_the_real_files(
    name: str, nodes: int, edges: int, features: int, classes: int, component: int, data_dir: Path
) -> None:
    data = load_dataset(name, data_dir, download="never")
    graph = Graph.from_data(data)
    assert (graph.num_nodes, data.num_edges, graph.num_features) == (nodes, edges, features)
    assert (graph.num_classes, graph.split) == (classes, "random")
    assert [len(part) for part in (graph.train, graph.val, graph.test)] == [20 * classes, 500, 1000]
    assert load_dataset(name, data_dir, split="cpf", download="never").num_nodes == component


@pytest.mark.slow
@pytest.mark.parametrize("name", ["photo", "computers"])
def test_the_real_files_equal_pyg(name: str, data_dir: Path, tmp_path: Path) -> None:
    file, pyg = FILES[name]
    (tmp_path / file).parent.mkdir(parents=True)
    shutil.copyfile(data_dir / file, tmp_path / file)
    assert_equal_to_pyg(load_dataset(name, data_dir, download="never"), pyg(str(tmp_path / "Amazon"), name)[0])


@pytest.mark.slow
@pytest.mark.parametrize("split", ["random", "cpf"])
def test_physics_never_becomes_dense(split: str, data_dir: Path) -> None:
    setup = (
        "import sklearn.metrics, scipy.sparse.csgraph, torch_geometric.datasets\n"
        "from graphkd import load_dataset; from graphkd.datasets import Graph"
    )
    keys = f"{str(data_dir)!r}, split={split!r}, row_normalize=True, download='never'"
    code = f"data = load_dataset('physics', {keys})\nassert Graph.from_data(data).x.nnz == 1_137_311"
    assert peak_growth(setup, code) < 300e6
