"""Scores that are errors in the user's units: in no table or picture they are percent."""

from pathlib import Path
from typing import Any

from graphkd.evaluation import paired_difference
from graphkd.evaluation.figures import points
from graphkd.reports import find_runs, grouped
from graphkd.reports.score_table import ScoreTable
from graphkd.runs import advice
from graphkd.runs.table import format_table
from tests.reports.runs import METRICS, make_run, seed

SEEDS = [seed(0, -125.0, -120.5, -110.0), seed(1, -124.0, -121.5, -112.0)]
FACTS: dict[str, Any] = {"metric": "neg_mae"}


def test_differences_are_in_the_unit_of_the_error() -> None:
    assert points(paired_difference([-120.5], [-125.0]), "neg_mae") == "+4.5"
    assert points(paired_difference([0.5], [0.75]), "r2") == "-25.00"


def test_the_report_of_errors_has_no_percent(tmp_path: Path) -> None:
    (group,) = grouped(find_runs([str(make_run(tmp_path / "run", SEEDS, **FACTS))]))
    table = ScoreTable.of(group)
    cells = dict(zip(table.headings, table.rows[0], strict=True))
    assert (cells["teacher test"], cells["student test"]) == ("-124.5 ± 0.5", "-121 ± 0.5")
    assert cells["student − teacher"].startswith("+3.5 [")
    assert not any("%" in heading for heading in table.headings)
    numeric = dict(zip(table.headings, table.numeric, strict=True))
    assert numeric["student test"]
    assert not numeric["teacher"]


def test_the_table_of_a_run_and_its_advice_are_in_the_unit_of_what_is_selected_by() -> None:
    metrics = {**METRICS, "metric": "r2", "selected_by": "neg_mae", "seeds": [dict(entry) for entry in SEEDS]}
    for entry in metrics["seeds"]:
        for part in ("teacher", "student", "mlp"):
            scores = entry[part]
            entry[part] = {"val": 0.5, "test": 0.25, "val_neg_mae": scores["val"], "test_neg_mae": scores["test"]}
    heading, columns, *rows = format_table(metrics)
    assert heading.endswith("r2 · 2 seeds")
    assert columns.split() == ["val", "%", "test", "%", "val", "neg_mae", "test", "neg_mae"]
    assert rows[-1].endswith("-121 ± 0.5")
    assert "25.00 ± 0.00" in rows[-1]
    first, second = advice(metrics)
    assert "(-111 against -124.5)" in first
    assert "(-111 against -121)" in second
