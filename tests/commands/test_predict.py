from pathlib import Path

import numpy as np
import pytest

import graphkd
from graphkd import GraphKDError
from graphkd.commands.predict import predict
from tests.commands.runs import SHORT
from tests.conftest import make_data
from tests.datasets.planetoid_files import NUM_NODES


def test_predict_on_the_run_s_own_graph_propagates_by_itself(run: Path, tmp_path: Path) -> None:
    predict(str(run), "graph", str(tmp_path / "p.npy"), None)
    data = graphkd.load_dataset("cora", tmp_path / "data", download="never")
    np.savez(tmp_path / "rows.npz", x=data.x.to_dense().numpy(), edge_index=data.edge_index.numpy())
    predict(str(run), str(tmp_path / "rows.npz"), str(tmp_path / "q.npy"), None)
    own = np.load(tmp_path / "p.npy")
    assert own.shape == (NUM_NODES, 3)
    np.testing.assert_allclose(own, np.load(tmp_path / "q.npy"), atol=1e-6)


def test_predict_refuses_rows_without_their_graph_and_writes_nothing(run: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", np.ones((2, 12), dtype=np.float32))
    with pytest.raises(GraphKDError, match="give the word graph"):
        predict(str(run), str(tmp_path / "rows.npy"), str(tmp_path / "p.csv"), None)
    assert not (tmp_path / "p.csv").exists()


def test_a_run_on_data_in_memory_can_predict_rows_but_not_its_graph(tmp_path: Path) -> None:
    graphkd.distill(make_data(), training=SHORT).save(tmp_path / "run")
    np.save(tmp_path / "rows.npy", make_data().x.numpy())
    predict(str(tmp_path / "run"), str(tmp_path / "rows.npy"), str(tmp_path / "p.csv"), None)
    assert len((tmp_path / "p.csv").read_text().splitlines()) == 61
    with pytest.raises(GraphKDError, match="was trained on data in memory"):
        predict(str(tmp_path / "run"), "graph", str(tmp_path / "p.csv"), None)
