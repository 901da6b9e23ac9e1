"""``graphkd bench`` for runs of labels and numbers, and for students of positions alone."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from graphkd.cli import main
from graphkd.commands import bench as command
from graphkd.commands import bench_student
from graphkd.commands.bench import bench
from graphkd.commands.bench_plot import score_against_latency
from graphkd.commands.bench_table import markdown
from graphkd.evaluation import Times
from tests.tasks.graphs import data_of
from tests.tiers import some_of

POSITIONS = ("encoder=positions", "encoder.features=none", "encoder.kind=laplacian", "encoder.dim=3")


def write_folder(folder: Path, task: str) -> None:
    """A user's folder with a column per label or number, and numeric features."""
    data = data_of(task)
    table = pd.DataFrame(data.x.numpy(), columns=list("abcde"))
    y = data.y.reshape(len(table), -1).numpy()
    names = ["label"] if y.shape[1] == 1 else [f"label_{k}" for k in range(y.shape[1])]
    folder.mkdir()
    pd.concat([table, pd.DataFrame(y, columns=names)], axis=1).to_csv(folder / "nodes.csv", index=False)
    pd.DataFrame(data.edge_index.T.numpy(), columns=["source", "target"]).to_csv(folder / "edges.csv", index=False)


def once(calls: Mapping[Any, Any], _: float) -> dict[Any, Times]:
    """Makes each call once, in place of timing it."""
    for call in calls.values():
        call(0)
    return {key: Times(1.0, 2.0, 3.0, 1) for key in calls}


@pytest.fixture
def _not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "latency", once)
    monkeypatch.setattr(bench_student, "_resident", lambda *_: None)


def measured(folder: Path, task: str, *keys: str) -> dict[str, Any]:
    write_folder(folder / "data", task)
    data = ["dataset=custom", f"dataset.path={folder}/data", "dataset.split=fractions", "device=cpu"]
    if task == "binary":
        data.append("dataset.task=binary")
    short = ["training.max_epochs=3", "baseline=false", f"output_dir={folder}/run"]
    assert main(["distill", *data, *short, *keys]) == 0
    bench(str(folder / "run"), str(folder / "found.json"), plot_file=str(folder / "found.png"))
    found: dict[str, Any] = json.loads((folder / "found.json").read_text())
    return found


STEPS = {
    "multilabel": ("roc_auc", "its checks, preprocessing and thresholds"),
    "regression": ("r2", "its checks and preprocessing;"),
    "binary": ("roc_auc", "its checks, preprocessing and argmax"),
}


@pytest.mark.usefixtures("_not_timed")
@pytest.mark.parametrize("task", some_of(STEPS, 3))
def test_table_and_plot_are_of_the_task_s_own_metric(
    task: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, text = measured(tmp_path, task), capsys.readouterr().out
    metric, steps = STEPS[task]
    assert f"| test {metric} % |" in text
    assert steps in text
    assert "accuracy" not in text
    assert "Rows at hand are features" in text
    scores = {model["name"]: model["scores"]["test"] for model in found["models"]}
    assert scores["torch"] == pytest.approx(scores["numpy"], abs=1e-6)
    assert (found["task"], found["student"]["reads"]) == (task, "x")


@pytest.mark.slow
@pytest.mark.usefixtures("_not_timed")
def test_a_student_of_positions_alone_is_timed_and_errors_have_their_own_unit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = measured(tmp_path, "regression", *POSITIONS)
    assert "rows of positions, dense" in capsys.readouterr().out
    assert "numpy, row from a FeatureStore" in [model["name"] for model in found["models"]]
    for model in found["models"]:
        model["scores"]["test"] = -125.25
    found["metric"] = "neg_mae"
    (line,) = [line for line in markdown(found).splitlines() if line.startswith("| torch") and " x |" in line]
    assert line.split("|")[2].strip() == "-125.2"
    assert "| test neg_mae |" in markdown(found)
    assert score_against_latency(found).startswith(b"\x89PNG")
