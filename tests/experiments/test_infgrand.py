"""The command for the published cells on a made-up graph, and its tables."""

import json
import re
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from tests.datasets.planetoid_files import write_planetoid
from tests.experiments.loading import load_run

SMALL = ["teacher.hidden_dim=8", "student.hidden_dim=8", "training.max_epochs=2"]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """Its module, with small networks."""
    module = load_run("infgrand")
    composed = module.composed
    monkeypatch.setattr(module, "composed", lambda overrides: composed([*overrides, *SMALL]))
    write_planetoid(tmp_path / "data" / "Cora" / "raw")
    return module


@pytest.mark.slow
def test_it_goes_on_with_the_students_that_are_missing(
    run: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--data-dir", str(tmp_path / "data"), "--output-dir", str(tmp_path / "out"), "--workers", "1"]
    some = [*common, "--seeds", "1", "cora_sage_inductive", "cora_gcn_transductive"]
    run.main([*common, "--seeds", "1", "cora_gcn_transductive", "--students", "mlp"])
    assert "no student was distilled" in capsys.readouterr().out
    run.main([*some, "--students", "glnn"])
    assert "2 of 2: cora_gcn_transductive 2022: mlp" in capsys.readouterr().out
    file = tmp_path / "out" / "cora_sage_inductive" / "2022.json"
    before = json.loads(file.read_text())
    assert list(before) == ["teacher", "glnn"]
    run.main(some)
    printed = capsys.readouterr().out
    after = json.loads(file.read_text())
    assert list(after) == ["teacher", "glnn", "mlp", "mlp_same_inputs", "reference", "paper"]
    assert after["glnn"] == before["glnn"]
    assert after["teacher"]["test"] == before["teacher"]["test"]
    assert len(re.findall(r"\| Cora / (GCN|SAGE) \|", printed)) == 2
    assert len(pd.read_csv(tmp_path / "out" / "results.csv")) == 2 * 6
    run.main(some)
    assert " of " not in capsys.readouterr().out.split("###")[0]


def test_the_36_cells_are_there_and_no_other(run: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(run.CELLS) == 36
    with pytest.raises(SystemExit):
        run.main(["cora_gin_inductive"])
    assert "no cell is called cora_gin_inductive" in capsys.readouterr().err


def test_gains_are_means_over_cells_and_a_cell_below_glnn_is_named(run: ModuleType) -> None:
    scores = {
        "cora_gcn_inductive": {"teacher": 0.8, "mlp": 0.6, "glnn": 0.7, "reference": 0.75},
        "cora_sage_inductive": {"teacher": 0.7, "mlp": 0.6, "glnn": 0.72, "reference": 0.71},
    }
    rows = pd.DataFrame(
        [
            {"cell": cell, "seed": 2022, "model": model, "val": test, "test": test, "epochs": 3, "seconds": 1.0}
            for cell, tests in scores.items()
            for model, test in tests.items()
        ]
    )
    table, said = run.to_markdown(rows), run.headline(rows)
    assert "| Cora / GCN | **80.00 ± 0.00** (1) | 60.00 ± 0.00 (1) | – | 70.00 ± 0.00 (1) |" in table
    assert "InfGraND `reference`: +13.00 over the plain MLP and -2.00 over the teacher; below GLNN in 1" in said
    assert "cora_sage_inductive -1.00" in said
    assert "furthest behind its teacher on validation: GLNN, cora_gcn_inductive, seed 2022: -10.0 points" in said
