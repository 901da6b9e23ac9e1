"""The study's command at its smallest size, and its tables."""

import csv
import json
from pathlib import Path

import pytest

from tests.experiments.loading import load_run


@pytest.mark.slow
def test_the_smallest_size_runs_and_goes_on_where_it_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main = load_run("views").main
    arguments = ["digits", "--seeds", "1", "--output-dir", str(tmp_path)]
    main(arguments)
    assert "2 of 2: digits_sage_0" in capsys.readouterr().out
    rows = list(csv.DictReader((tmp_path / "results.csv").open()))
    assert len(rows) == 2 * 2 * 7
    file = tmp_path / "cells" / "digits_gcn_0.json"
    before = json.loads(file.read_text())
    file.unlink()
    main(arguments)
    after = json.loads(file.read_text())["results"]
    assert {name: facts["test"] for name, facts in after.items()} == {
        name: facts["test"] for name, facts in before["results"].items()
    }
    before["protocol"]["krd none"]["method"]["tau"] = 3.0
    file.write_text(json.dumps(before))
    with pytest.raises(SystemExit, match="was made with other settings"):
        main(arguments)


@pytest.mark.slow  # thousands of resamples, as for the committed rows below
def test_its_tables_are_those_of_its_rows() -> None:
    tables = load_run("views", "tables")
    rows = [
        {"dataset": name, "teacher": teacher, "seed": seed, "method": method, "variant": variant}
        | {"test": 0.8 + 0.01 * place + 0.001 * seed, "teacher_test": 0.7}
        for name in ("one", "two")
        for teacher in ("gcn", "sage")
        for seed in range(2)
        for method in ("glnn", "krd")
        for place, variant in enumerate(tables.VARIANTS)
    ]
    text = tables.to_markdown(rows)
    assert text.count("| one / GCN (2) | 80.05 ± 0.05 |") == 2
    assert text.count("| 3 views − one teacher | +2.00 [+2.00, +2.00] |") == 2
    assert text.count("| 5 views − 6 teachers | -3.00 [-3.00, -3.00] |") == 2
    assert "Friedman over 4 cells" in text
    assert "one teacher 7.00" in text
