"""The ladder at its smallest size, and its tables."""

import csv
from pathlib import Path

import pytest

from tests.experiments.loading import load_run


def test_a_row_of_the_table_names_what_was_chosen_and_the_better_plain_mlp() -> None:
    tables = load_run("ladder", "tables")
    settings = (
        "method=krd encoder=positions encoder.features=propagated teacher=gcn transform=ensemble matching=none"
    )
    settings += " student.num_layers=2 student.hidden_dim=64"
    searches = [{"cell": "cpf_cora", "reads": "neighbours", "tried": 7, "seconds": 500, "settings": settings}]
    scores = {"student": 0.84, "teacher": 0.83, "mlp": 0.6, "mlp_same_inputs": 0.81, "best_mlp": 0.62}
    rows = [
        {
            "cell": "cpf_cora",
            "reads": "neighbours",
            "model": model,
            "seed": seed,
            "val": 0.5,
            "test": test + seed / 100,
        }
        for model, test in scores.items()
        for seed in (0, 2)
    ]
    (line,) = [line for line in tables.to_markdown(rows, searches).splitlines() if line.startswith("| Cora")]
    chosen = "krd, gcn, ensemble, positions, propagated, 2 x 64"
    numbers = "85.00 ± 1.00 | 84.00 ± 1.00 | 63.00 ± 1.00 | 82.00 ± 1.00 | +3.00"
    assert line == f"| Cora, CPF | 7 | {chosen} | {numbers} | 83.7 TINED+ |"


@pytest.mark.slow
def test_a_search_is_run_once_and_its_rows_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("optuna")
    run = load_run("ladder")
    cell = run.CELLS["cora"]
    short = ("training.max_epochs=3", "teacher.hidden_dim=8", "student.hidden_dim=8", "transform=none")
    monkeypatch.setitem(run.CELLS, "cora", type(cell)("digits", "digits", short))
    arguments = ["cora", "--reads", "x", "--trials", "1", "--seeds", "2", "--output-dir", str(tmp_path)]
    run.main(arguments)
    assert "cora x: " in capsys.readouterr().out
    rows = list(csv.DictReader((tmp_path / "results.csv").open()))
    assert {row["model"] for row in rows} >= {"student", "best_mlp"}
    assert {row["seed"] for row in rows} == {"8", "9"}
    before = (tmp_path / "cora_x" / "tune.json").read_bytes()
    run.main(arguments)
    assert (tmp_path / "cora_x" / "tune.json").read_bytes() == before
