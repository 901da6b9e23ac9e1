import contextlib
import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import graphkd
from graphkd import GraphKDError
from graphkd.cli import main
from graphkd.commands.evaluate import evaluate
from graphkd.commands.evaluate_table import SCORES, format_evaluation
from graphkd.commands.predict import predict
from graphkd.evaluation import ConfusionMatrix
from graphkd.runs import Evaluation, read_metrics
from tests.commands.runs import SHORT
from tests.conftest import make_data
from tests.datasets.npz_files import splits_arrays, write
from tests.datasets.planetoid_files import NUM_NODES, write_planetoid
from tests.test_cli import command


def test_evaluate_gets_the_recorded_scores_again(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(str(run), None)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[1:3]]
    assert [line[0] for line in lines] == ["0", "1"]
    assert all(line[2] == line[3] for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["min", "concat"])
def test_evaluate_pools_as_the_run_did_hidden_nodes_too(
    pooling: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_planetoid(tmp_path / "Cora" / "raw")
    args = ["method=infgrand", f"method.pooling={pooling}", "setting=production", "training.max_epochs=5"]
    places = [f"data_dir={tmp_path}", f"output_dir={tmp_path}/run"]
    assert main(["distill", "dataset=cora", *args, *places]) == 0
    capsys.readouterr()
    evaluate(str(tmp_path / "run"), None)
    line = capsys.readouterr().out.splitlines()[1].split()
    assert line[2] == line[3]
    predict(str(tmp_path / "run"), "graph", str(tmp_path / "p.csv"), None)
    assert len((tmp_path / "p.csv").read_text().splitlines()) == 1 + NUM_NODES


def test_evaluate_notices_that_the_data_is_another(run: Path, tmp_path: Path) -> None:
    write_planetoid(tmp_path / "other" / "Cora" / "raw", seed=9)
    with pytest.raises(GraphKDError, match="was trained on other data than cora holds now"):
        evaluate(str(run), str(tmp_path / "other"))


def test_evaluate_notices_that_the_bundle_is_another(run: Path) -> None:
    metrics = json.loads((run / "metrics.json").read_text())
    metrics["seeds"][0]["student"]["test"] += 0.1
    (run / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(GraphKDError, match="the data or the bundle is not the run's own"):
        evaluate(str(run), None)


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


def test_a_set_that_is_ranked_is_scored_by_roc_auc_everywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "minesweeper" / "raw" / "minesweeper.npz", splits_arrays())
    args = [f"data_dir={tmp_path}", f"output_dir={tmp_path}/run", "training.max_epochs=5", "seeds=[3]"]
    assert main(["distill", "dataset=minesweeper", *args]) == 0
    assert capsys.readouterr().out.startswith("minesweeper · public split · transductive · roc_auc · 1 seed")
    metrics = read_metrics(tmp_path / "run")
    data = graphkd.load_dataset("minesweeper", tmp_path, seed=3)
    proba = graphkd.load_bundle(tmp_path / "run").predict_proba(data.x)
    auc = roc_auc_score(data.y[data.test_mask], proba[data.test_mask, 1])
    assert metrics["metric"] == "roc_auc"
    assert metrics["mean"]["student_test"] == pytest.approx(auc, abs=1e-3)
    evaluate(str(tmp_path / "run"), None)
    val, test, recorded = capsys.readouterr().out.splitlines()[1].split()[1:]
    assert test == recorded
    assert float(val) == pytest.approx(100 * metrics["seeds"][0]["student"]["val"], abs=0.011)


@pytest.mark.parametrize(
    "setting",
    ["production", *(pytest.param(name, marks=pytest.mark.slow) for name in ("inductive", "cold_start"))],
)
def test_hidden_nodes_are_scored_as_they_were(
    setting: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ["method=infgrand", f"setting={setting}", "seeds=[0,3]", "training.max_epochs=5", "baseline=false"]
    assert main(["distill", *args, f"output_dir={tmp_path}/run", f"cache_dir={tmp_path}/cache"]) == 0
    assert f"· {setting} ·" in capsys.readouterr().out
    evaluate(str(tmp_path / "run"), None)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[1:3]]
    assert [line[2] == line[3] for line in lines] == [True, True]
    metrics = read_metrics(tmp_path / "run")
    assert all({"test_ind", "test_tran"} <= set(seed["student"]) for seed in metrics["seeds"])
    assert "influence_of_full_graph" not in metrics


def test_a_published_leak_warns_in_one_line_and_is_on_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ["method=infgrand", "method.variant=reference", "setting=inductive", "training.max_epochs=2"]
    assert main(["distill", *args, f"output_dir={tmp_path}/run", f"cache_dir={tmp_path}/cache"]) == 0
    warned = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert len(warned) == 1
    assert warned[0].startswith("graphkd: warning: infgrand's variant=reference takes the influence from the full")
    assert read_metrics(tmp_path / "run")["influence_of_full_graph"] is True


def test_it_prints_the_matrix_and_every_class_and_writes_them(run: Path, tmp_path: Path) -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["evaluate", str(run), "--output", str(tmp_path / "out")]) == 0
    metrics, text = read_metrics(run), out.getvalue()
    ece = np.mean([seed["student"]["test_ece"] for seed in metrics["seeds"]])
    assert re.search(rf"test ECE % +{100 * ece:.2f} ±", text)
    tables = {path.stem: list(csv.reader(path.open())) for path in (tmp_path / "out").glob("*.csv")}
    assert tables.keys() == {"scores", "classes", "confusion", "reliability"}
    recorded = [seed["classes"]["student"] for seed in metrics["seeds"]]
    counts = np.array([row[1:] for row in tables["confusion"][1:]], dtype=int)
    assert counts.sum(axis=1).tolist() == np.sum([each["support"] for each in recorded], axis=0).tolist()
    assert counts.sum(axis=0).tolist() == np.sum([each["predicted"] for each in recorded], axis=0).tolist()
    assert [int(row[4]) for row in tables["classes"][1:]] == counts.sum(axis=1).tolist()
    assert sum(int(row[2]) for row in tables["reliability"][1:]) == counts.sum()
    for name in ("confusion.png", "reliability.png"):
        assert (tmp_path / "out" / name).read_bytes().startswith(b"\x89PNG")


def test_the_matrix_of_many_classes_is_only_written() -> None:
    counts = np.eye(21, dtype=np.int64)
    found = Evaluation([dict.fromkeys(SCORES, 1.0)], ConfusionMatrix(counts), None, list(range(21)))  # type: ignore[arg-type]
    lines = format_evaluation(found)
    assert "confusion matrix of 21 classes: --output FOLDER writes it" in lines
    assert len(lines) == len(SCORES) + 4 + 21


@pytest.mark.slow
def test_without_matplotlib_there_is_all_but_the_plots(tmp_path: Path, no_matplotlib: None) -> None:
    keys = ("training.max_epochs=2", "baseline=false", "output_dir=run")
    assert command("distill", *keys, cwd=tmp_path).returncode == 0
    done = command("evaluate", "run", "--output", "out", cwd=tmp_path)
    assert done.returncode == 0
    assert "no confusion.png and reliability.png: a plot needs matplotlib" in done.stderr
    assert {file.suffix for file in (tmp_path / "out").iterdir()} == {".csv"}
