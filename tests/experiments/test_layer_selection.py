"""The study's command at its smallest size, and what its statistics say of made-up scores."""

import csv
import json
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "experiments" / "layer_selection"


def study(output: Path, *arguments: str) -> str:
    command = [sys.executable, "run.py", *arguments, "--workers", "1", "--output-dir", str(output)]
    return subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=True).stdout


def test_the_smoke_size_runs_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    printed = study(tmp_path, "smoke")
    assert "4 of 4" in printed
    rows = list(csv.DictReader((tmp_path / "smoke" / "rows.csv").open()))
    assert len(rows) == 2 * 2 * 7
    assert {row["strategy"] for row in rows} == {
        "none", "forward", "reverse", "all_to_one", "random", "attention", "mlp",
    }  # fmt: skip
    assert "Friedman over 2 cells" in printed
    assert printed.count("reverse − forward") == 1
    for name in ("differences.png", "ranks.png", "angles.png"):
        assert (tmp_path / "smoke" / name).stat().st_size > 5000
    one = tmp_path / "cells" / "digits_gcn_glnn_teacher6_student4_0.json"
    before = json.loads(one.read_text())
    one.unlink()
    assert "1 of 1" in study(tmp_path, "smoke")
    again = json.loads(one.read_text())
    assert [row["test"] for row in again["rows"]] == [row["test"] for row in before["rows"]]


def test_a_block_that_is_none_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "run.py", "cor", "--output-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no block is called cor" in done.stderr
