"""The study of temperatures at its smallest size, and what its tables say of made-up scores."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.experiments.loading import load_run


@pytest.fixture(scope="module")
def study() -> ModuleType:
    """Its ``run.py``."""
    return load_run("temperature")


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    """Its ``tables.py``."""
    return load_run("temperature", "tables")


@pytest.mark.slow
def test_it_runs_and_goes_on_where_it_stopped(
    study: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ["digits_gcn_glnn", "digits_gcn_krd", "--seeds", "1", "--output-dir", str(tmp_path)]
    study.main(args)
    printed = capsys.readouterr().out
    assert "**GLNN**" in printed
    assert "**KRD**" in printed
    file = tmp_path / "digits_gcn_krd" / "0.json"
    first = json.loads(file.read_text())
    assert set(first) == {"teacher", *study.CELLS["digits_gcn_krd"].specs()}
    assert "dtkd" not in first
    kept = {name: scores for name, scores in first.items() if name != "dts"}
    file.write_text(json.dumps(kept))
    study.main(args)
    again = json.loads(file.read_text())
    assert {name: again[name] for name in kept if name != "teacher"} == {
        name: kept[name] for name in kept if name != "teacher"
    }
    assert again["dts"]["test"] == first["dts"]["test"]
    first["dts"]["settings"]["calibration"]["tau"] = 7.0
    file.write_text(json.dumps(first))
    with pytest.raises(SystemExit, match="dts was made with other settings"):
        study.main(args)


def rows(tables: ModuleType, cell: str, **changes: tuple[float, float]) -> list[dict[str, Any]]:
    """Three seeds of every model: validation and test score, 0.8 each unless changed."""
    models = ["teacher", *tables.GRID, *tables.RULES]
    made = []
    for model in models:
        val, test = changes.get(model.replace(" ", "_"), (0.8, 0.8))
        made += [
            {"cell": cell, "seed": seed, "model": model, "val": val + seed / 100, "test": test + seed / 100}
            for seed in range(3)
        ]
    return made


def test_the_grid_is_chosen_on_validation_scores_alone(tables: ModuleType) -> None:
    better = {"T_=_2": (0.85, 0.7), "T_=_4": (0.8, 0.9), "dts": (0.99, 0.99)}
    assert tables.chosen(rows(tables, "cs_gcn_glnn", **better), "cs_gcn_glnn") == "T = 2"
    assert tables.chosen(rows(tables, "cs_gcn_glnn"), "cs_gcn_glnn") == "T = 1"


def test_a_rule_counts_where_its_interval_over_cells_lies_above_the_best_fixed_temperature(
    tables: ModuleType,
) -> None:
    cells, found = ["cs_gcn_glnn", "photo_gcn_glnn", "pubmed_gcn_glnn"], []
    for cell, sign, more in zip(cells, (1, 1, -1), (0.0, 0.001, -0.001), strict=True):
        found += rows(
            tables, cell, dts=(0.8, 0.82 + more), dtkd=(0.8, 0.8 + 0.03 * sign), cosine=(0.8, 0.78 + more)
        )
    lines = {line.split(" | ")[0]: line for line in tables.differences_table(found, cells).splitlines()}
    assert lines["| dts"].startswith("| dts | 3 | +2.00 [+1.90, +2.10]")
    counts = {rule: lines[f"| {rule}"].endswith("| yes |") for rule in ("dts", "dtkd", "cosine")}
    assert counts == {"dts": True, "dtkd": False, "cosine": False}
    assert tables.ranks_line(found, cells).startswith("Friedman over 3 cells")
    few = tables.differences_table(found[: len(found) // 3], cells[:1])
    assert "| yes |" not in few, "one cell shows nothing"
