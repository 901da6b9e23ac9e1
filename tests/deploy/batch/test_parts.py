"""Scoring of a folder of files into a folder of predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from graphkd import GraphKDError
from graphkd.cli import main
from graphkd.deploy.batch.parts import Part, score_folder, score_part
from graphkd.deploy.batch.score import Job, score_file
from graphkd.deploy.row_predictor import RowPredictor
from tests.deploy.batch.files import bundle, frame, numpy_model, table, with_nan


def write_parts(folder: Path, count: int = 3) -> Path:
    folder.mkdir()
    for part in range(count):
        frame(table(20, seed=part)).to_parquet(folder / f"part-{part}.parquet")
    return folder


def here(model: RowPredictor) -> Callable[[Sequence[Part]], Iterator[tuple[int, int]]]:
    return lambda parts: (score_part(part, model) for part in parts)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_hidden_files_are_left_out_and_a_job_that_scored_nothing_leaves_nothing(tmp_path: Path) -> None:
    rows, model = write_parts(tmp_path / "rows", 1), numpy_model(tmp_path)
    for name in (".part.parquet.crc", "_SUCCESS"):
        (rows / name).write_text("of others")
    frame(with_nan(table(20))).to_parquet(rows / "part-0.parquet")
    with pytest.raises(GraphKDError, match="row 5"):
        score_folder(Job(rows, tmp_path / "out.csv"), "", here(model))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["bundle", "rows"]
    assert score_folder(Job(rows, tmp_path / "out.csv", tmp_path / "bad.csv"), "", here(model)) == (1, 17, 3)


@pytest.mark.parametrize("kind", ["parquet", "csv", "npy"])
def test_each_file_has_the_bytes_that_it_has_alone(tmp_path: Path, kind: str) -> None:
    rows, model = write_parts(tmp_path / "rows"), numpy_model(tmp_path)
    job = Job(rows, tmp_path / f"out.{kind}")
    assert score_folder(job, "", here(model)) == (3, 60, 0)
    (tmp_path / "alone").mkdir()
    for file in rows.iterdir():
        score_file(Job(file, tmp_path / "alone" / f"{file.stem}.{kind}"), model, "")
    assert contents(job.output) == contents(tmp_path / "alone")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["alone", "bundle", f"out.{kind}", "rows"]


def test_a_job_that_was_killed_scores_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, model = write_parts(tmp_path / "rows", 4), numpy_model(tmp_path)
    job, scored = Job(rows, tmp_path / "out.csv"), []

    def stops(parts: Sequence[Part]) -> Iterator[tuple[int, int]]:
        for part in parts[:2]:
            scored.append(part.job.output.stem)
            yield score_part(part, model)
        raise KeyboardInterrupt

    def goes_on(parts: Sequence[Part]) -> Iterator[tuple[int, int]]:
        for part in parts:
            scored.append(part.job.output.stem)
            yield score_part(part, model)

    with pytest.raises(KeyboardInterrupt):
        score_folder(job, "", stops)
    assert not job.output.exists()
    damaged = tmp_path / ".out.csv.progress" / "output" / "part-1.csv"
    damaged.write_bytes(damaged.read_bytes()[:-2])
    assert score_folder(job, "", goes_on) == (4, 80, 0)
    assert scored == ["part-0", "part-1", "part-1", "part-2", "part-3"]
    assert "goes on after 1 finished parts of 4" in capsys.readouterr().err
    score_folder(replace(job, output=tmp_path / "again.csv"), "", here(model))
    assert contents(job.output) == contents(tmp_path / "again.csv")


@pytest.mark.parametrize("changed", ["student", "file", "probabilities", "left out"])
def test_parts_of_another_job_are_scored_again(tmp_path: Path, changed: str) -> None:
    rows, model = write_parts(tmp_path / "rows"), numpy_model(tmp_path)
    job, again = Job(rows, tmp_path / "out.csv"), []

    def stops(parts: Sequence[Part]) -> Iterator[tuple[int, int]]:
        yield from here(model)(parts)
        raise KeyboardInterrupt

    def noted(parts: Sequence[Part]) -> Iterator[tuple[int, int]]:
        again.extend(part.job.output.stem for part in parts)
        return here(model)(parts)

    with pytest.raises(KeyboardInterrupt):
        score_folder(job, "a", stops)
    if changed == "file":
        frame(table(20, seed=9)).to_parquet(rows / "part-1.parquet")
    if changed == "left out":
        (rows / "part-2.parquet").unlink()
    job = replace(job, probabilities=changed == "probabilities")
    found = score_folder(job, "b" if changed == "student" else "a", noted)
    wanted = {"student": ["part-0", "part-1", "part-2"], "file": ["part-1"], "left out": []}
    assert again == wanted.get(changed, wanted["student"])
    assert sorted(file.stem for file in job.output.iterdir()) == [f"part-{part}" for part in range(found[0])]


def test_an_earlier_folder_is_replaced_unless_it_holds_more(tmp_path: Path) -> None:
    rows, model = write_parts(tmp_path / "rows"), numpy_model(tmp_path)
    job = Job(rows, tmp_path / "out.npy")
    score_folder(job, "", here(model))
    frame(table(5)).to_parquet(rows / "part-0.parquet")
    score_folder(job, "", here(model))
    assert np.load(job.output / "part-0.npy").shape == (5, 2)
    before = contents(job.output)
    (rows / "part-0.parquet").rename(rows / "first.parquet")
    with pytest.raises(GraphKDError, match=r"out\.npy holds part-0\.npy, which no file of rows gives"):
        score_folder(job, "", here(model))
    assert contents(job.output) == before


def test_rejects_have_a_folder_of_their_own(tmp_path: Path) -> None:
    rows, model = write_parts(tmp_path / "rows", 2), numpy_model(tmp_path)
    frame(with_nan(table(20))).to_parquet(rows / "part-1.parquet")
    with pytest.raises(GraphKDError, match=r"part-1\.parquet row 5 "):
        score_folder(Job(rows, tmp_path / "out.csv"), "", here(model))
    assert (tmp_path / ".out.csv.progress").is_dir()  # part-0 is scored
    job = Job(rows, tmp_path / "out.csv", tmp_path / "bad.csv")
    assert score_folder(job, "", here(model)) == (2, 37, 3)
    assert [len((tmp_path / "bad.csv" / f"part-{part}.csv").read_text().splitlines()) for part in (0, 1)] == [1, 4]


def _text(path: Path) -> Path:
    path.write_text("text")
    return path


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _nothing(at: Path) -> None:
    """What is there is enough."""


ROWS = ["rows", "out.csv"]
MISTAKES: dict[str, tuple[Callable[[Path], object], list[str], str]] = {
    "no suffix": (_nothing, ["rows", "out"], "out ends in '': predictions of a folder of rows are a folder"),
    "a suffix that is none": (_nothing, ["rows", "out.txt"], "out.txt ends in '.txt'"),
    "no file": (lambda at: _folder(at / "empty"), ["empty", "out.csv"], "empty holds no file of rows"),
    "another file": (lambda at: _text(at / "rows" / "notes.txt"), ROWS, "notes.txt is no file of rows"),
    "a folder in it": (lambda at: _folder(at / "rows" / "more"), ROWS, "more is no file of rows"),
    "two kinds": (lambda at: np.save(at / "rows" / "x.npy", table()), ROWS, "files of several kinds"),
    "a file in its place": (lambda at: _text(at / "out.csv"), ROWS, "out.csv is there and no folder of its own"),
    "another folder": (
        lambda at: _text(_folder(at / "out.csv") / "notes.txt"),
        ROWS,
        "out.csv holds notes.txt, which no file of rows gives: choose another output",
    ),
    "no place": (_nothing, ["rows", "none/out.csv"], "its own folder is not there"),
    "its own input": (
        lambda at: (at / "rows").rename(at / "rows.parquet"),
        ["rows.parquet", "rows.parquet"],
        "is also the input",
    ),
    "progress": (
        lambda at: _text(_folder(at / ".out.csv.progress") / "notes.txt"),
        ROWS,
        "is needed for the progress of this job",
    ),
    "a cluster for a file": (
        _nothing,
        ["rows/part-0.parquet", "out.csv", "--cluster", "ray"],
        "a cluster scores the files of a folder",
    ),
    "workers without a cluster": (_nothing, [*ROWS, "--workers", "2"], "--workers is for --cluster"),
    "no cluster": (
        _nothing,
        [*ROWS, "--cluster", "ray", "--address", "127.0.0.1:1"],
        "no cluster answers at 127.0.0.1:1",
    ),
    "no workers": (
        _nothing,
        [*ROWS, "--cluster", "ray", "--workers", "0"],
        "cluster.workers is 0: it must be a whole number, 1 or more",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], mistake: str
) -> None:
    prepare, args, message = MISTAKES[mistake]
    monkeypatch.chdir(tmp_path)
    write_parts(tmp_path / "rows")
    bundle(tmp_path)
    prepare(tmp_path)
    before = contents(tmp_path)
    assert main(["predict", "bundle", *args, "--runtime", "numpy"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert contents(tmp_path) == before


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    write_parts(tmp_path / "rows")
    bundle(tmp_path)
    assert main(["predict", "bundle", "rows", "out.csv", "--rejects", "bad.csv", "--runtime", "numpy"]) == 0
    place = tmp_path
    assert capsys.readouterr().out == (
        f"60 predictions in 3 files: {place / 'out.csv'}\n0 rows rejected: {place / 'bad.csv'}\n"
    )
