from pathlib import Path

import pytest
import torch
from torch_geometric.datasets import Planetoid

import graphkd
from graphkd import GraphKDError, Training, load_dataset
from graphkd.run_data import load_run_data
from graphkd.sparse import SparseMatrix
from tests.datasets.planetoid_files import NUM_NODES, write_planetoid


def test_the_same_graph_as_pyg_from_a_folder_that_is_only_read(tmp_path: Path) -> None:
    write_planetoid(tmp_path / "Planetoid" / "CiteSeer" / "raw", "citeseer")
    before = sorted(tmp_path.rglob("*"))
    ours = load_dataset("citeseer", tmp_path, download="never")
    assert sorted(tmp_path.rglob("*")) == before
    assert_equal_to_pyg(ours, Planetoid(str(tmp_path / "Planetoid"), "CiteSeer")[0])
    assert ours.num_nodes == NUM_NODES
    assert ours.y[[603, 606]].tolist() == [-1, -1]
    assert SparseMatrix.from_torch(ours.x).rowptr.diff()[[603, 606]].tolist() == [0, 0]


def test_both_places_and_any_case(tmp_path: Path) -> None:
    write_planetoid(tmp_path / "CORA" / "raw")
    assert load_dataset("cora", tmp_path, download="never").num_nodes == NUM_NODES


def test_dense_features_can_be_sliced_and_a_run_s_own_data_is_loaded_so_again(tmp_path: Path) -> None:
    write_planetoid(tmp_path / "Cora" / "raw")
    sparse, dense = (load_dataset("cora", tmp_path, download="never", dense=dense) for dense in (False, True))
    assert torch.equal(dense.x[:5], sparse.x.to_dense()[:5])
    assert "dense" not in sparse.graphkd
    run = graphkd.distill(dense, method="mlp", training=Training(max_epochs=1), baseline=False)
    run.save(tmp_path / "run")
    again = load_run_data(tmp_path / "run", 0, None)
    assert again.graphkd == dense.graphkd
    assert torch.equal(again.x, dense.x)
    with pytest.raises(GraphKDError, match="dataset.dense is 'yes'"):
        load_dataset("cora", tmp_path, download="never", dense="yes")


def assert_equal_to_pyg(ours, theirs) -> None:
    assert ours.x.layout == torch.sparse_csr
    assert torch.equal(ours.x.to_dense(), theirs.x)
    pairs = [torch.unique(data.edge_index, dim=1) for data in (ours, theirs)]
    assert torch.equal(*pairs)
    for mask in ("train_mask", "val_mask", "test_mask"):
        assert torch.equal(ours[mask], theirs[mask])
    known = ours.y >= 0
    assert torch.equal(ours.y[known], theirs.y[known])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "nodes", "edges"), [("cora", 2708, 10556), ("citeseer", 3327, 9104), ("pubmed", 19717, 88648)]
)
def test_the_real_files(name: str, nodes: int, edges: int, data_dir: Path, tmp_path: Path) -> None:
    import shutil

    pyg_name = {"cora": "Cora", "citeseer": "CiteSeer", "pubmed": "PubMed"}[name]
    ours = load_dataset(name, data_dir, download="never")
    assert (ours.num_nodes, ours.num_edges) == (nodes, edges)
    copy = shutil.copytree(data_dir / "Planetoid" / pyg_name / "raw", tmp_path / pyg_name / "raw")
    copy.chmod(0o755)
    copy.parent.chmod(0o755)
    assert_equal_to_pyg(ours, Planetoid(str(tmp_path), pyg_name)[0])
