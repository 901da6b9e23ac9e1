from pathlib import Path

import pytest

from graphkd.reports import draw, find_runs, grouped, seeds_csv, to_csv, to_markdown, write_report
from tests.reports.runs import make_run


def test_the_four_files_and_nothing_else(tmp_path: Path) -> None:
    groups = grouped(find_runs([str(make_run(tmp_path / "run"))]))
    write_report(groups, tmp_path / "a" / "b")
    contents = {file.name: file.read_bytes() for file in (tmp_path / "a" / "b").iterdir()}
    assert contents == {
        "report.md": to_markdown(groups).encode(),
        "report.csv": to_csv(groups).encode(),
        "report_seeds.csv": seeds_csv(groups).encode(),
        "report.png": draw(groups),
    }


def test_nothing_is_written_where_the_last_of_them_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> bytes:
        raise MemoryError

    groups = grouped(find_runs([str(make_run(tmp_path / "run"))]))
    monkeypatch.setattr("graphkd.reports.writing.draw", fail)
    with pytest.raises(MemoryError):
        write_report(groups, tmp_path / "out")
    assert not (tmp_path / "out").exists()
