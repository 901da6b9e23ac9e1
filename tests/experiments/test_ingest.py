"""The ingest's command at its smallest size."""

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.experiments.loading import load_run

pytest.importorskip("duckdb")


@pytest.mark.slow
def test_it_draws_ingests_and_measures(tmp_path: Path) -> None:
    run = load_run("ingest")
    run.main(["--edges", "3000", "--work-dir", str(tmp_path), "--memory-budget", "1", "--limit", "4", "--keep"])
    (row,) = csv.DictReader((tmp_path / "measured.csv").open())
    assert (row["edges"], row["nodes"]) == ("3000", "300")
    assert 3000 < int(row["entries"]) < 6000
    assert 0 < float(row["own_gb"]) <= float(row["resident_gb"]) < 4
    expected = next(csv.DictReader((Path(run.__file__).parent / "expected.csv").open()))
    assert list(row) == list(expected)


def test_a_table_is_drawn_the_same_again(tmp_path: Path) -> None:
    drawing = load_run("ingest", "draw")
    for name, ids in (("one", "string"), ("two", "string"), ("three", "integer")):
        drawing.draw(tmp_path / name, 1000, ids, 300)
    one, two, three = (tmp_path / name / "edges/part-00001.parquet" for name in ("one", "two", "three"))
    assert one.read_bytes() == two.read_bytes()
    assert pq.read_table(one)["source"].to_pylist() == [
        f"user-{row}" for row in pq.read_table(three)["source"].to_pylist()
    ]
