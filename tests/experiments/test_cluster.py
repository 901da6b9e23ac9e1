"""The commands of the study of a cluster."""

import csv
import sys
from pathlib import Path

import pytest

from tests.experiments.loading import EXPERIMENTS, load_run


def test_what_a_worker_reads_holds_and_writes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scale_out = load_run("cluster", "scale_out")
    monkeypatch.setattr(sys, "argv", ["scale_out.py", "--workers", "128", "--edge-columns-per-second", "1e9"])
    scale_out.main()
    head, *_, row = capsys.readouterr().out.splitlines()
    assert head == "operator 41.0 GB, features 56.9 GB, a join 1711.3 GB a hop"
    assert row == "| 128 | 1 | 41.4 GB | 41.0 GB | 1.3 GB | 0.4 GB | 0.1 min | 3.5 min |"


@pytest.mark.slow
def test_the_smallest_size_runs_and_gives_the_columns_of_the_committed_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    size = ["--nodes", "500", "--edges", "2000", "--features", "8", "--workers", "1"]
    monkeypatch.setattr(sys, "argv", ["run.py", *size, "--output-dir", str(tmp_path)])
    load_run("cluster").main()
    rows = list(csv.DictReader((tmp_path / "results.csv").open()))
    expected = list(csv.DictReader((EXPERIMENTS / "cluster" / "expected.csv").open()))
    assert [row["workers"] for row in rows] == ["0", "1"]
    assert {row["same"] for row in [*rows, *expected]} == {"True"}
    assert list(rows[0]) == list(expected[0])
