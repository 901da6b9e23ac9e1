import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.datasets.planetoid_files import write_planetoid
from tests.reports.runs import SEEDS, make_run, seed
from tests.test_cli import FAST, command

FILES = ["report.csv", "report.md", "report.png", "report_seeds.csv"]


@pytest.mark.slow
def test_from_a_sweep_to_a_report(tmp_path: Path) -> None:
    write_planetoid(tmp_path / "data" / "Planetoid" / "Cora" / "raw")
    keys = ["dataset=cora", "data_dir=data", *FAST]
    sweep = ["-m", "method=glnn,infgrand", "seeds=2", "output_dir=OUT"]
    assert command("distill", *keys, *sweep, cwd=tmp_path).returncode == 0
    assert command("distill", *keys, "seeds=[1]", "output_dir=one", cwd=tmp_path).returncode == 0
    plain = command("report", "OUT", "one", cwd=tmp_path)
    assert (plain.returncode, plain.stderr) == (0, "")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["OUT", "data", "one"]
    done = command("report", "OUT", "one", "--output-dir", "made/report", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{plain.stdout}\nreport folder: made/report\n"
    folder = tmp_path / "made" / "report"
    assert sorted(entry.name for entry in folder.iterdir()) == FILES
    assert (folder / "report.md").read_text() == plain.stdout
    rows = [line.split(" | ") for line in plain.stdout.splitlines() if line.startswith("| gcn")]
    assert [row[2].strip() for row in rows] == ["glnn", "infgrand (paper)", "glnn"]
    metrics = json.loads(next((tmp_path / "OUT").glob("*infgrand*/metrics.json")).read_text())
    mean, std = (100 * metrics[part]["student_test"] for part in ("mean", "std"))
    assert f"{mean:.2f} ± {std:.2f}" in [cell.strip() for cell in rows[1]]
    # The run of one seed is trained as that seed of the sweep was, so nothing lies between them.
    assert rows[2][-1].split(" |")[0].strip() == "+0.00 (1 pair)"
    assert (folder / "report.csv").read_text().count("\n") == 4
    assert (folder / "report_seeds.csv").read_text().count("\n") == 6


def test_a_report_is_replaced_and_is_no_run(tmp_path: Path) -> None:
    make_run(tmp_path / "runs" / "a")
    assert command("report", "runs", "--output-dir", "runs/report", cwd=tmp_path).returncode == 0
    make_run(tmp_path / "runs" / "b", teacher="sage")
    assert command("report", "runs", "--output-dir", "runs/report", cwd=tmp_path).returncode == 0
    report = tmp_path / "runs" / "report"
    assert "| sage " in (report / "report.md").read_text()
    assert sorted(entry.name for entry in report.iterdir()) == FILES


def test_a_page_and_latex_tables_are_written_and_replaced(tmp_path: Path) -> None:
    run = make_run(tmp_path / "<script>" / "a")
    plain = command("report", ".", cwd=tmp_path)
    for _ in range(2):
        done = command("report", ".", "--html", "r.html", "--latex", "t.tex", cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"{plain.stdout}written: r.html\nwritten: t.tex\n"
    assert "<script>" not in (tmp_path / "r.html").read_text()
    assert (tmp_path / "t.tex").read_text().startswith("% Needs \\usepackage{booktabs}")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["<script>", "r.html", "t.tex"]
    assert sorted(entry.name for entry in run.iterdir()) == ["config.yaml", "metrics.json"]


def edited(**changes: Any) -> Callable[[Path], None]:
    """``run``, whose ``metrics.json`` says something else."""

    def prepare(folder: Path) -> None:
        file = make_run(folder / "run") / "metrics.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))

    return prepare


def unfinished(folder: Path) -> None:
    make_run(folder / "run" / "a")
    (make_run(folder / "run" / "b") / "metrics.json").unlink()


def beside_a_file(folder: Path) -> None:
    make_run(folder / "run")
    (folder / "file").write_text("")


def beside_a_measurement(folder: Path) -> None:
    (make_run(folder / "run") / "bench.json").write_text('{"schema_version": 1}')


def a_folder_of_the_name(folder: Path) -> None:
    make_run(folder / "run")
    (folder / "a.html").mkdir()


DAMAGED = "metrics.json is damaged: make the run again with overwrite=true"

MISTAKES: dict[str, tuple[Callable[[Path], Any] | None, list[str], str]] = {
    "nothing": (None, [], "the following arguments are required: RUN: see graphkd --help"),
    "no such folder": (None, ["nowhere"], "nowhere is no folder: give a run made by graphkd distill"),
    "no run there": (
        None,
        ["."],
        ". holds no run: give a run made by graphkd distill, or a folder with such runs",
    ),
    "an empty name": (None, [""], "RUN is '': give a path"),
    "an unfinished run": (unfinished, ["run"], "run/b is not finished: run its graphkd distill command again"),
    "no names": (edited(teacher=None), ["run"], DAMAGED),
    "a score that is none": (edited(seeds=[seed(0, 0.5, float("nan"))]), ["run"], DAMAGED),
    "a score that is a text": (edited(seeds=[seed(0, 0.5, 0.5, "x")]), ["run"], DAMAGED),
    "a part without scores": (edited(seeds=[{**SEEDS[0], "mlp": 3}]), ["run"], DAMAGED),
    "a seed without number": (edited(seeds=[{**SEEDS[0], "seed": "a"}]), ["run"], DAMAGED),
    "a file for the report": (beside_a_file, ["run", "--output-dir", "file"], "choose another --output-dir"),
    "below a file": (beside_a_file, ["run", "--output-dir", "file/x"], "choose another --output-dir"),
    "a page of another kind": (edited(), ["run", "--html", "a.pdf"], "--html=a.pdf does not end in .html: give"),
    "a table of another kind": (edited(), ["run", "--latex", "a"], "--latex=a does not end in .tex: give such a"),
    "a page without a folder": (edited(), ["run", "--html", "no/a.html"], "its folder is not there: make no"),
    "a folder for the page": (
        a_folder_of_the_name,
        ["run", "--html", "a.html"],
        "a.html is a folder: choose another file for --html",
    ),
    "a damaged measurement": (beside_a_measurement, ["run", "--html", "a.html"], "bench.json is damaged"),
    "no name for the report": (edited(), ["run", "--output-dir", ""], "--output-dir is '': give a path"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_and_leaves_nothing(mistake: str, tmp_path: Path) -> None:
    prepare, args, message = MISTAKES[mistake]
    if prepare is not None:
        prepare(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    output = [] if "--output-dir" in args else ["--output-dir", "out"]
    done = command("report", *args, *output, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("graphkd: ")
    assert message in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_without_matplotlib_there_is_all_but_the_plot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(tmp_path / "run")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    done = command("report", "run", "--output-dir", "out", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr == "graphkd: no report.png: a plot needs matplotlib: pip install 'graphkd[plot]'\n"
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "report.csv", "report.md", "report_seeds.csv",
    ]  # fmt: skip


def test_a_disk_that_is_full_is_one_line_and_leaves_no_half_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device", "out")

    make_run(tmp_path / "run")
    monkeypatch.setattr("graphkd.atomic_io.os.replace", full)
    done = command("report", "run", "--output-dir", "out", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.slow
def test_neither_other_commands_nor_a_table_load_what_only_a_plot_needs(tmp_path: Path) -> None:
    make_run(tmp_path / "run")
    program = (
        "import sys; from graphkd.cli import main; import graphkd.commands.distill; "
        "main(['report', 'run']); print([m for m in ('matplotlib', 'scipy.stats') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
