"""The command of the tasks study at its smallest size."""

import csv
import json
from pathlib import Path

import pytest
import torch

import graphkd
from tests.conftest import make_data
from tests.experiments.loading import load_run


@pytest.mark.slow
def test_it_runs_and_goes_on_where_it_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    study = load_run("tasks")

    def data_of(cell: str, seed: int, data_dir: str, folder: Path):
        data = make_data()
        draws = torch.Generator().manual_seed(seed)
        labels = (torch.rand(len(data.y), 3, generator=draws) < 0.4).float()
        data.y = data.y + torch.rand(len(data.y), generator=draws) if cell == "chameleon" else labels
        data.task = "regression" if cell == "chameleon" else "multilabel"
        return data

    short = graphkd.Training(max_epochs=2)
    monkeypatch.setattr(study, "data_of", data_of)
    monkeypatch.setattr(study, "TRAINING", dict.fromkeys(study.CELLS, short))
    args = ["--seeds", "2", "--output-dir", str(tmp_path)]
    study.main(args)
    assert capsys.readouterr().out.count("chameleon 1 ") == 2
    rows = list(csv.DictReader((tmp_path / "results.csv").open()))
    assert [row["model"] for row in rows if (row["cell"], row["seed"]) == ("chameleon", "0")] == list(study.MODELS)
    file = tmp_path / "blogcatalog" / "1.json"
    before = json.loads(file.read_text())
    file.unlink()
    study.main(args)
    assert capsys.readouterr().out.count(" glnn: ") == 1
    assert json.loads(file.read_text()) == before
