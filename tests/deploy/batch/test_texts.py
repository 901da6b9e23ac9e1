"""``graphkd predict`` on .tsv, .jsonl, packed files and standard input."""

import gzip
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from graphkd import GraphKDError
from graphkd.cli import main
from graphkd.deploy.batch import block as block_module
from graphkd.deploy.batch.columns import Wanted
from graphkd.deploy.batch.journal import Journal
from graphkd.deploy.batch.reading import open_rows, whole
from graphkd.deploy.batch.score import Job, score_file
from graphkd.io.lines import StandardInput
from tests.deploy.batch.files import (
    NAMES,
    bundle,
    frame,
    ids,
    numpy_model,
    table,
    with_nan,
    write_all,
    write_objects,
)

HEAD = "id\theight\tgirth\tage"


def give(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """Lets a content be standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_cells_of_a_tsv_are_those_of_a_csv(tmp_path: Path) -> None:
    lines = [
        HEAD,
        "a,b\t1\tTrue\t 3 ",
        '"say ""x"""\t"1.5"\tfalse\t1e3',
        "x\t\t1\t2",
        "\t\t\t",
        "",
        "y\t1\t2",
        "z\t1,5\t2\t3",
    ]
    (tmp_path / "a.tsv").write_text("\n".join(lines) + "\n\n")
    (found,) = whole(open_rows(tmp_path / "a.tsv", Wanted(3, NAMES)), tmp_path / "a.tsv", 100, 0)
    np.testing.assert_array_equal(found.x[:2], np.float32([[1, 1, 3], [1.5, 0, 1000]]))
    assert found.ids[:4] == ["a,b", 'say "x"', "x", ""]
    assert found.faults == {
        2: "column 'height' holds nothing",
        3: "column 'height' holds nothing",
        4: "has 0 cells, 4 expected",
        5: "has 3 cells, 4 expected",
        6: "column 'height' holds '1,5'",
    }


def test_many_truth_values_beside_empty_cells_of_a_tsv(tmp_path: Path) -> None:
    rows = "".join(f"\ttrue\t{row}\tFALSE\n" for row in range(50))
    (tmp_path / "a.tsv").write_text(f"note\theight\tgirth\tage\n{rows}")
    with pytest.warns(UserWarning, match="are ignored: 'note'"):
        source = open_rows(tmp_path / "a.tsv", Wanted(3, NAMES))
    (found,) = whole(source, tmp_path / "a.tsv", 100, 0)
    assert found.faults == {}
    np.testing.assert_array_equal(found.x, np.float32([[1, row, 0] for row in range(50)]))


MISTAKES = {
    "a csv named tsv": ("a.tsv", b"id,height,girth,age\nx,1,2,3\n", "has no column 'height', 'girth', 'age'"),
    "a tsv named csv": ("a.csv", b"id\theight\tgirth\tage\nx\t1\t2\t3\n", "has no column 'height'"),
    "a csv named jsonl": ("a.jsonl", b"height,girth,age\n", "line 1 is no JSON object"),
    "a jsonl named csv": (
        "a.csv",
        b'{"height": 1, "girth": 2, "age": 3}\n',
        "has no column 'height'",
    ),
    "a list of objects": (
        "a.jsonl",
        b'[{"height": 1, "girth": 2, "age": 3}]',
        "line 1 is no JSON object, but a list",
    ),
    "an empty tsv": ("a.tsv", b"", "is empty: give a line of names"),
    "an empty packed csv": ("a.csv.gz", gzip.compress(b""), "is empty: give a line of names"),
    "no packed file": ("a.csv.gz", b"height,girth,age\n1,2,3\n", "cannot be unpacked after line 0 (Not a gzipped"),
    "cut off": (
        "a.jsonl.gz",
        gzip.compress(b'{"height": 1, "girth": 2, "age": 3}\n' * 99)[:-9],
        "cannot be unpacked",
    ),
    "packed without a kind": ("a.gz", gzip.compress(b"x"), "ends in '.gz': rows come as"),
    "packed parquet": ("a.parquet.gz", gzip.compress(b"x"), "ends in '.parquet.gz': rows come as"),
    "packed twice": ("a.csv.gz", gzip.compress(gzip.compress(b"a,b\n1,2\n")), "is no UTF-8 text"),
    "a name is missing": ("a.jsonl", b'{"height": 1, "age": 3}\n', "has no column 'girth'"),
    "a quote without its end": (
        "a.tsv",
        b'height\tgirth\tage\n"1\t2\t3\n',
        "line 2 holds a quote that does not end",
    ),
    "a name twice": ("a.tsv", b"height\tgirth\tgirth\tage\n", "has 2 columns 'girth'"),
    "no name": ("a.tsv", b"height\tgirth\t\tage\n", "has a column without a name"),
    "numbers as names": ("a.tsv", b"1\t2\t3\n4\t5\t6\n", "begins with a line of numbers"),
    "latin-1": ("a.jsonl", '{"größe": 1}'.encode("latin-1"), "is no UTF-8 text"),
    "a row of null": (
        "a.jsonl",
        b'{"height": 1, "girth": 2, "age": 3}\nnull\n',
        "line 2: is no JSON object, but nothing",
    ),
    "a text": ("a.jsonl", b'{"height": "1", "girth": 2, "age": 3}\n', "line 1: column 'height' holds '1'"),
    "infinite": (
        "a.jsonl",
        b'{"height": 1e999, "girth": 2, "age": 3}\n',
        "line 1: column 'height' holds infinity",
    ),
    "a bell": ("a.jsonl", b'{"height": "\\u0007", "girth": 2, "age": 3}\n', "column 'height' holds '\\x07'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_in_text_files_are_one_line_with_the_file(
    mistake: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, content, message = MISTAKES[mistake]
    (tmp_path / name).write_bytes(content)
    folder = bundle(tmp_path, NAMES)
    assert (
        main(["predict", str(folder), str(tmp_path / name), str(tmp_path / "out.csv"), "--runtime", "numpy"]) == 2
    )
    said = capsys.readouterr().err
    assert f"graphkd: {tmp_path / name} " in said
    assert message in said
    assert said.count("\n") == 1
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(["bundle", name])


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl"])
def test_standard_input_is_scored_as_a_file_is(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files, folder = write_all(tmp_path / "rows", with_nan(table())), str(bundle(tmp_path, NAMES))
    args = [str(tmp_path / "out.csv"), "--runtime", "numpy", "--rejects", str(tmp_path / "bad.csv")]
    assert main(["predict", folder, str(files[f"named.{kind}"]), *args]) == 0
    want = [(tmp_path / name).read_bytes() for name in ("out.csv", "bad.csv")]
    for name in ("out.csv", "bad.csv"):
        (tmp_path / name).unlink()
    give(monkeypatch, files[f"named.{kind}"].read_bytes())
    assert main(["predict", folder, "-", *args, *(["--format", kind] if kind != "csv" else [])]) == 0
    assert [(tmp_path / name).read_bytes() for name in ("out.csv", "bad.csv")] == want
    assert capsys.readouterr().out.count("22 predictions") == 2


def test_standard_input_without_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, b"1,2,3\n4,5,6\n")
    args = ["-", str(tmp_path / "out.npy"), "--no-header", "--runtime", "numpy"]
    assert main(["predict", str(bundle(tmp_path)), *args]) == 0
    want = numpy_model(tmp_path).predict_proba(np.float32([[1, 2, 3], [4, 5, 6]]))
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), want)


def test_mistakes_with_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = str(bundle(tmp_path, NAMES)), str(tmp_path / "out.csv")
    frame(table()).to_csv(tmp_path / "in.csv", index=False)
    mistakes: list[tuple[list[str], bytes, str]] = [
        (["-"], b"", "standard input is empty: give a line of names"),
        (
            ["-"],
            b"height,girth,age\n1,2,x\n",
            "standard input line 2: column 'age' holds 'x'; correct it, or --rejects",
        ),
        (["-"], b'{"height": 1}\n', "standard input has no column 'height'"),
        (["-", "--format", "jsonl"], b"height,girth,age\n", "standard input line 1 is no JSON object"),
        (["-", "--format", "jsonl", "--no-header"], b"{}", "names in every line: leave --no-header out"),
        (["-", "--format", "parquet"], b"", "invalid choice: 'parquet'"),
        (["-"], gzip.compress(b"height,girth,age\n"), "standard input is no UTF-8 text"),
        ([str(tmp_path / "in.csv"), "--format", "csv"], b"", "--format is for standard input (-)"),
        (["graph", "--format", "csv"], b"", "--format is for standard input (-)"),
    ]
    for args, content, message in mistakes:
        give(monkeypatch, content)
        assert main(["predict", folder, args[0], out, "--runtime", "numpy", *args[1:]]) == 2
        said = capsys.readouterr().err
        assert message in said
        assert said.count("\n") == 1
    assert not list(tmp_path.glob("*.progress"))
    assert not Path(out).exists()


def test_a_file_called_minus_is_given_with_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = str(bundle(tmp_path, NAMES))
    (tmp_path / "-").write_text("height,girth,age\n1,2,3\n")
    assert main(["predict", folder, "./-", "out.csv"]) == 2
    assert "- ends in '': rows come as" in capsys.readouterr().err


class Killed(BaseException):
    """As if the process had ended."""


def test_nothing_is_taken_from_an_earlier_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_module, "MOST_ROWS", 4)
    monkeypatch.setattr(block_module, "LEAST_ROWS", 1)
    model, add = numpy_model(tmp_path, NAMES), Journal.add
    job = Job(StandardInput(), tmp_path / "out.npy")
    first, second = (frame(table(seed=seed)).to_csv(index=False).encode() for seed in (0, 1))

    def stop(self: Journal, one: object) -> None:
        add(self, one)  # type: ignore[arg-type]
        if self.finished == 3:
            raise Killed

    for error in (Killed, GraphKDError):
        give(monkeypatch, first if error is Killed else first + b"x,1,2,y\n")
        if error is Killed:
            monkeypatch.setattr(Journal, "add", stop)
        with pytest.raises(error):
            score_file(job, model, "")
        assert not list(tmp_path.glob(".*")), "there is nothing to go on with"
        monkeypatch.setattr(Journal, "add", add)
    folder = tmp_path / ".out.npy.progress"  # of one that was killed for good
    folder.mkdir()
    for name in ("lock", "job.json", "block-00000000"):
        (folder / name).write_bytes(b"")
    give(monkeypatch, second)
    score_file(job, model, "")
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), model.predict_proba(table(seed=1)))
    assert not folder.exists()


def test_a_real_pipe_needs_no_pandas(tmp_path: Path) -> None:
    write_objects(tmp_path / "in.jsonl", table())
    bundle(tmp_path, NAMES)
    program = """
import sys
for name in ("torch", "pandas", "tqdm", "pyarrow"):
    sys.modules[name] = None
from graphkd.cli import main
sys.exit(main(["predict", "bundle", "-", "out.csv", "--runtime", "numpy", "--format", "jsonl", "--probabilities"]))
"""
    with (tmp_path / "in.jsonl").open() as lines:
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, stdin=lines, capture_output=True, text=True, check=False
        )
    assert (done.stdout, done.stderr) == ("25 predictions: out.csv\n", "")
    found = pd.read_csv(tmp_path / "out.csv", dtype={"id": str})
    assert found["id"].tolist() == ids(25)
    want = numpy_model(tmp_path, NAMES).predict_proba(table())
    np.testing.assert_array_equal(found.filter(like="p_").to_numpy(np.float32), want)


def test_ids_of_objects_keep_their_type_in_parquet_whatever_is_put_aside(tmp_path: Path) -> None:
    bad = '{"id": null, "height": 1, "girth": 2, "age": 3}\n'
    good = [f'{{"id": {row}, "height": 1, "girth": 2, "age": 3}}\n' for row in range(3)]
    (tmp_path / "in.jsonl").write_text("".join([good[0], bad, *good[1:]]))
    job = Job(tmp_path / "in.jsonl", tmp_path / "out.parquet", tmp_path / "bad.csv")
    assert score_file(job, numpy_model(tmp_path, NAMES), "") == (3, 1)
    found = pd.read_parquet(tmp_path / "out.parquet")
    assert (found["id"].tolist(), str(found["id"].dtype)) == ([0, 1, 2], "int64")
    assert "has nothing as its id, and not a whole number" in (tmp_path / "bad.csv").read_text()
