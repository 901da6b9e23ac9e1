from pathlib import Path

import numpy as np
import pytest

import graphkd
from graphkd import GraphKDError, Training
from graphkd.cli import main
from graphkd.commands import evaluate, predict
from tests.conftest import make_data
from tests.datasets.planetoid_files import NUM_NODES, write_planetoid

SHORT = Training(max_epochs=5)


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A run of InfGraND on a small graph in Planetoid's format, two seeds."""
    write_planetoid(tmp_path / "data" / "Cora" / "raw")
    args = [f"data_dir={tmp_path}/data", f"output_dir={tmp_path}/run", "training.max_epochs=5", "seeds=2"]
    assert main(["distill", "dataset=cora", "method=infgrand", *args]) == 0
    capsys.readouterr()
    return tmp_path / "run"


def test_evaluate_gets_the_recorded_scores_again(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(str(run), None)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert [line[0] for line in lines] == ["0", "1"]
    assert all(line[2] == line[3] for line in lines)


def test_evaluate_notices_that_the_data_is_another(run: Path, tmp_path: Path) -> None:
    write_planetoid(tmp_path / "other" / "Cora" / "raw", seed=9)
    with pytest.raises(GraphKDError, match="the data or the bundle is not the run's own"):
        evaluate(str(run), str(tmp_path / "other"))


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


def test_a_library_run_of_a_built_in_set_can_be_evaluated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = graphkd.load_dataset("digits", seed=4)
    graphkd.distill(data, seed=4, training=SHORT).save(tmp_path / "run")
    evaluate(str(tmp_path / "run"), None)
    assert capsys.readouterr().out.splitlines()[1].split()[0] == "4"
