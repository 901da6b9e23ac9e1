"""The commands of the links study at their smallest size."""

import csv
import dataclasses
import json
from pathlib import Path

import pytest

from graphkd.links import LinkGraph
from tests.experiments.loading import load_run
from tests.links.conftest import community_graph


def test_it_runs_and_goes_on_where_it_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    study = load_run("links")
    monkeypatch.setattr(study, "TRAINING", dataclasses.replace(study.TRAINING, max_epochs=2, hidden_dim=8))
    monkeypatch.setattr(
        study,
        "graph_of",
        lambda cell, seed, data_dir: LinkGraph.from_data(community_graph(), seed, cell.split("_")[1]),
    )
    models = ["sage", "aa", "mlp", "aa_llp"]
    args = ["cora_inductive", "--seeds", "2", "--output-dir", str(tmp_path), "--models", *models]
    study.main(args)
    assert capsys.readouterr().out.count("cora_inductive 1 ") == len(models)
    rows = list(csv.DictReader((tmp_path / "results.csv").open()))
    assert [(row["seed"], row["model"]) for row in rows] == [(seed, model) for seed in "01" for model in models]
    file = tmp_path / "cora_inductive" / "1.json"
    before = json.loads(file.read_text())
    file.write_text(json.dumps({key: value for key, value in before.items() if key != "aa_llp"}))
    study.main(args)
    out = capsys.readouterr().out
    assert out.count("cora_inductive 1 ") == 1
    assert "| cora_inductive | aa_llp | 2 |" in out
    assert json.loads(file.read_text())["aa_llp"]["auc"] == before["aa_llp"]["auc"]


def test_speed_has_a_row_for_each_decoder(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    speed = load_run("links", "speed")
    monkeypatch.setattr(speed, "REPEATS", 1)
    monkeypatch.setattr(speed.torch, "set_num_threads", lambda count: None)
    speed.main(["--nodes", "50", "--pairs", "20", "--dims", "4"])
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["decoder"] for row in rows] == ["dot", "hadamard", "bilinear"]
