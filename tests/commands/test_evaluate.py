from pathlib import Path

import pytest

import graphkd
from graphkd import GraphKDError
from graphkd.commands.evaluate import evaluate
from tests.commands.runs import SHORT, planetoid_run
from tests.conftest import make_data
from tests.datasets.planetoid_files import write_planetoid


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    path = planetoid_run(tmp_path)
    capsys.readouterr()
    return path


def test_evaluate_gets_the_recorded_scores_again(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(str(run), None)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert [line[0] for line in lines] == ["0", "1"]
    assert all(line[2] == line[3] for line in lines)


def test_evaluate_notices_that_the_data_is_another(run: Path, tmp_path: Path) -> None:
    write_planetoid(tmp_path / "other" / "Cora" / "raw", seed=9)
    with pytest.raises(GraphKDError, match="the data or the bundle is not the run's own"):
        evaluate(str(run), str(tmp_path / "other"))


def test_a_library_run_keeps_the_split_and_the_edges_it_was_made_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = graphkd.load_dataset("digits", seed=3, directed=True)
    graphkd.distill(data, method="infgrand", seed=0, training=SHORT).save(tmp_path / "run")
    evaluate(str(tmp_path / "run"), None)
    assert capsys.readouterr().out.splitlines()[1].split()[0] == "0"


def test_a_user_s_own_data_is_never_taken_for_a_built_in_set(tmp_path: Path) -> None:
    data = make_data()
    data.name = "cora"
    graphkd.distill(data, training=SHORT).save(tmp_path / "run")
    with pytest.raises(GraphKDError, match="was trained on data in memory"):
        evaluate(str(tmp_path / "run"), None)


def test_a_library_run_of_a_built_in_set_can_be_evaluated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = graphkd.load_dataset("digits", seed=4)
    graphkd.distill(data, seed=4, training=SHORT).save(tmp_path / "run")
    evaluate(str(tmp_path / "run"), None)
    assert capsys.readouterr().out.splitlines()[1].split()[0] == "4"
