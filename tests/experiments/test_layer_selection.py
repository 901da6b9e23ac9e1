"""The study's command at its smallest size, and what its statistics say of made-up scores."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.experiments.loading import load_run


@pytest.fixture
def study(tmp_path: Path) -> Callable[[list[str]], None]:
    """Its ``main``, in this process."""
    main = load_run("layer_selection").main
    return lambda blocks: main([*blocks, "--workers", "1", "--output-dir", str(tmp_path)])


@pytest.mark.slow
def test_the_smoke_size_runs_and_goes_on_where_it_stopped(
    study: Callable[[list[str]], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study(["smoke"])
    printed = capsys.readouterr().out
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
    study(["smoke"])
    assert "1 of 1" in capsys.readouterr().out
    again = json.loads(one.read_text())
    assert [row["test"] for row in again["rows"]] == [row["test"] for row in before["rows"]]
    one.write_text(json.dumps({**again, "protocol": {**again["protocol"], "weight": 7.0}}))
    with pytest.raises(SystemExit, match="was made with other settings"):
        study(["smoke"])


def test_a_block_that_is_none_is_refused(
    study: Callable[[list[str]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        study(["cor"])
    assert caught.value.code == 2
    assert "no block is called cor" in capsys.readouterr().err
