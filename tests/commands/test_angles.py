import csv
import functools
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import graphkd
from graphkd import GraphKDError
from graphkd.cli import main
from graphkd.commands.angles import angles
from graphkd.commands.evaluate import evaluate
from tests.commands.runs import SHORT
from tests.conftest import make_data
from tests.datasets.planetoid_files import write_planetoid

NETWORKS = ["teacher.num_layers=4", "teacher.hidden_dim=8", "student.num_layers=3", "student.hidden_dim=4"]
KEYS = ["dataset=cora", "baseline=false", "training.max_epochs=4", *NETWORKS]
FILES = ["angles.npz", "histograms.png", "layer_pairs.png", "summary.csv"]


def distill(folder: Path, *keys: str) -> Path:
    """A small run in ``folder/run``, of data and a cache beside it."""
    places = [f"data_dir={folder}/data", f"cache_dir={folder}/cache", f"output_dir={folder}/run"]
    assert main(["distill", *KEYS, *places, *keys]) == 0
    return folder / "run"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    write_planetoid(folder / "data" / "Cora" / "raw")
    distill(folder, "matching=forward", "seeds=[0,3]")
    return folder


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    """A run of its own; data and cache are shared."""
    return shutil.copytree(made / "run", tmp_path / "run")


@pytest.mark.slow
def test_the_folder_holds_what_the_library_says(run: Path, made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    angles(str(run), None)
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert said.err == ""
    assert lines[0] == "cora · public split · transductive · gcn to glnn + forward · 2 seeds"
    assert lines[-1] == f"angles folder: {run / 'angles'}"
    assert sorted(entry.name for entry in (run / "angles").iterdir()) == FILES
    table = np.load(run / "angles" / "angles.npz", allow_pickle=False)
    assert table["seeds"].tolist() == [0, 3]
    assert table["pairs"].tolist() == [[0, 1], [0, 2], [1, 2]]
    data = graphkd.load_dataset("cora", made / "data", download="never")
    parts = {
        "teacher": functools.partial(graphkd.teachers.GCN, num_layers=4, hidden_dim=8),
        "student": functools.partial(graphkd.students.MLP, num_layers=3, hidden_dim=4),
        "training": graphkd.Training(max_epochs=4),
    }
    found = graphkd.distill(data, matching="forward", seed=3, **parts).angles()
    assert table["before_3"].dtype == np.float32
    np.testing.assert_array_equal(table["before_3"], found.before.cosines.numpy())
    np.testing.assert_array_equal(table["after_3"], found.after.cosines.numpy())
    np.testing.assert_array_equal(table["nodes_3"], found.nodes.numpy())
    degrees = np.degrees(np.arccos(np.stack([table["after_0"], table["after_3"]]).astype(float))).mean(
        axis=(0, 2, 3)
    )
    assert [float(line.split()[4]) for line in lines[3:5]] == pytest.approx(degrees.tolist(), abs=0.01)
    check_summary(run / "angles" / "summary.csv", table["after_3"][1, 1])


def check_summary(path: Path, cosines: np.ndarray) -> None:
    """A line per seed, student layer, pair and time; layers count from 1."""
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 2 * 3 * 2
    keys = ("seed", "student_layer", "hop_j", "hop_k", "when")
    (row,) = (row for row in rows if [row[key] for key in keys] == ["3", "2", "1", "3", "after"])
    assert float(row["mean_cos"]) == pytest.approx(cosines.mean(), abs=1e-5)
    assert float(row["acute_share"]) == pytest.approx((cosines > 0).mean(), abs=1e-5)


@pytest.mark.slow
def test_twice_gives_the_same_and_nothing_else_is_disturbed(
    run: Path, made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    angles(str(run), None)
    first = {name: (run / "angles" / name).read_bytes() for name in FILES}
    (run / "angles" / "note.txt").touch()
    angles(str(run), None)
    assert {entry.name: entry.read_bytes() for entry in (run / "angles").iterdir()} == first
    evaluate(str(run), None)
    capsys.readouterr()
    places = [f"data_dir={made}/data", f"cache_dir={made}/cache", f"output_dir={run}"]
    assert main(["distill", *KEYS, *places, "matching=forward", "seeds=[0,3]"]) == 0
    assert "student  glnn + forward" in capsys.readouterr().out
    assert not [entry for entry in run.iterdir() if entry.name.startswith(".")]
    assert main(["distill", *KEYS, *places, "matching=reverse", "overwrite=true"]) == 0
    assert not (run / "angles").exists()


@pytest.mark.slow
def test_without_the_cache_it_is_trained_again_to_the_same_bits(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    angles(str(run), None)
    first = (run / "angles" / "angles.npz").read_bytes()
    config = (run / "config.yaml").read_text().replace("/cache", "/other")
    (run / "config.yaml").write_text(config)
    capsys.readouterr()
    angles(str(run), None)
    assert "seed 3: teacher and student not in" in capsys.readouterr().err
    assert (run / "angles" / "angles.npz").read_bytes() == first


def test_a_student_that_is_not_the_run_s_is_refused(run: Path, tmp_path: Path) -> None:
    other = shutil.copytree(run, tmp_path / "other")
    config = (other / "config.yaml").read_text()
    (other / "config.yaml").write_text(config.replace("  lr: 0.01", "  lr: 0.02"))
    with pytest.raises(GraphKDError, match="seed 0 now gives another student than"):
        angles(str(other), None)
    assert not (other / "angles").exists()


def test_without_matplotlib_nothing_is_computed(
    run: Path, monkeypatch: pytest.MonkeyPatch, no_matplotlib: None
) -> None:
    monkeypatch.setattr("graphkd.commands.angles.retrain_seeds", lambda *_: pytest.fail("it was"))
    with pytest.raises(GraphKDError, match=r"a plot needs matplotlib: pip install 'graphkd\[plot\]'"):
        angles(str(run), None)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["method=mlp"], "a student of method=mlp has no teacher"),
        (["student.num_layers=1"], "angles need a hidden layer of the student"),
        (["teacher.num_layers=2"], "angles need two hidden layers of the teacher, but there are 1"),
        ([], "have width 4, the teacher's 8, and no projection joins two of them"),
    ],
)
def test_a_run_without_angles_is_one_line(
    keys: list[str], message: str, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").symlink_to(made / "data")
    path = distill(tmp_path, *keys)
    capsys.readouterr()
    assert main(["angles", str(path)]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert message in said.err
    assert not (path / "angles").exists()


def test_a_run_that_is_not_finished_is_one_line(run: Path) -> None:
    (run / "metrics.json").unlink()
    with pytest.raises(GraphKDError, match="is not finished: run its graphkd distill command again"):
        angles(str(run), None)


def test_parts_in_memory_are_measured_in_python(tmp_path: Path) -> None:
    data = make_data()
    graphkd.distill(data, training=SHORT).save(tmp_path / "data")
    with pytest.raises(GraphKDError, match=r"was made with a dataset in memory: in Python, call angles\(\)"):
        angles(str(tmp_path / "data"), None)
    digits = graphkd.load_dataset("digits")
    graphkd.distill(digits, teacher=torch.zeros(1797, 10), training=SHORT).save(tmp_path / "teacher")
    with pytest.raises(GraphKDError, match=r"was made with a teacher in memory"):
        angles(str(tmp_path / "teacher"), None)


def test_a_damaged_config_is_one_line(run: Path) -> None:
    text = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(text.replace("teacher:", "techer:"))
    with pytest.raises(GraphKDError, match="config.yaml is damaged"):
        angles(str(run), None)
    (run / "config.yaml").write_text(text.replace("graphkd.teachers.GCN", "graphkd.os.system"))
    with pytest.raises(GraphKDError, match="only parts of graphkd are made from configs"):
        angles(str(run), None)


@pytest.mark.slow
def test_a_single_seed_and_a_student_as_it_is_without_matching(made: Path, tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(made / "data")
    path = distill(tmp_path, "student.hidden_dim=8", "setting=cold_start")
    assert not (path / "seed_0").exists()
    angles(str(path), None)
    table = np.load(path / "angles" / "angles.npz")
    assert table["after_0"].shape == (2, 3, table["nodes_0"].size)
    assert json.loads((path / "metrics.json").read_text())["matching"] == "none"
