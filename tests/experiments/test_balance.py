"""The study of balances at its smallest size, and the tables of its README."""

import csv
from pathlib import Path

import pytest

from tests.experiments.loading import load_run


@pytest.mark.slow
def test_the_smoke_size_runs_and_goes_on_where_it_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main = load_run("balance").main
    arguments = ["smoke", "--workers", "1", "--output-dir", str(tmp_path)]
    main(arguments)
    printed = capsys.readouterr().out
    assert "6 of 6" in printed
    assert "**ratio 0.05**: 1 cells, 2 seeds each" in printed
    rows = list(csv.DictReader((tmp_path / "results.csv").open()))
    assert len(rows) == 6 * 10
    equal = [row for row in rows if row["profile"] == "1" and row["rule"] in ("none", "bkd", "logit_adjustment")]
    assert len({(row["seed"], row["accuracy"], row["worst"]) for row in equal}) == 2  # classes are of one size
    next((tmp_path / "cells").iterdir()).unlink()
    main(arguments)
    assert "1 of 1" in capsys.readouterr().out


def test_the_study_has_every_data_set_profile_teacher_and_method_once() -> None:
    study = load_run("balance", "study")
    cells = study.BLOCKS["core"].cells
    assert len(cells) == len(set(cells)) == 6 * 4 * 2 * 2
    assert set(study.BLOCKS["citation"].cells) < set(cells)
