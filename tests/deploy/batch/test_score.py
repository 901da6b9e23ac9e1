import csv
import fcntl
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from graphkd import GraphKDError
from graphkd.answers import ClassAnswers
from graphkd.cli import main
from graphkd.datasets import Preprocessing
from graphkd.deploy import load_bundle, write_bundle
from graphkd.deploy.batch import block as block_module
from graphkd.deploy.batch import score as score_module
from graphkd.deploy.batch.block import Scored, rows_of_a_block
from graphkd.deploy.batch.ids import pack, unpack
from graphkd.deploy.batch.journal import Journal
from graphkd.deploy.batch.outputs import output_of
from graphkd.deploy.batch.parquet_output import ParquetOutput
from graphkd.deploy.batch.score import Job, score_file
from graphkd.deploy.row_predictor import RowPredictor
from graphkd.encoders import Encoding
from graphkd.students import MLP
from tests.deploy.batch.files import CLASSES, NAMES, bundle, frame, ids, numpy_model, table, with_nan, write_all
from tests.deploy.bundles import STEPS, student
from tests.memory import peak_growth

ADD = Journal.add


@pytest.fixture(autouse=True)
def _blocks_of_4(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_module, "MOST_ROWS", 4)
    monkeypatch.setattr(block_module, "LEAST_ROWS", 1)


def test_every_file_gives_the_same_predictions(tmp_path: Path) -> None:
    x, model = table(), numpy_model(tmp_path)
    proba = model.predict_proba(x)
    for name, file in write_all(tmp_path / "rows", x).items():
        job = Job(file, tmp_path / "out.npy", header=name != "bare.csv")
        assert score_file(job, model, "") == (25, 0)
        np.testing.assert_allclose(np.load(tmp_path / "out.npy"), proba, rtol=1e-5, err_msg=name)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["bundle", "out.npy", "rows"]


def test_what_the_outputs_hold(tmp_path: Path) -> None:
    x, model = table(), numpy_model(tmp_path)
    proba = np.concatenate([model.predict_proba(x[start : start + 4]) for start in range(0, 25, 4)])
    frame(x).to_parquet(tmp_path / "in.parquet")
    for kind in ("npy", "csv", "parquet"):
        score_file(Job(tmp_path / "in.parquet", tmp_path / f"out.{kind}"), model, "")
    np.save(tmp_path / "as_numpy_does.npy", proba)
    assert (tmp_path / "out.npy").read_bytes() == (tmp_path / "as_numpy_does.npy").read_bytes()
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    best = proba.argmax(axis=1)
    assert rows[7] == {
        "row": "7",
        "id": "007",
        "class": str(best[7]),
        "name": CLASSES[best[7]],
        "probability": f"{proba[7].max():.6f}",
    }
    found = pd.read_parquet(tmp_path / "out.parquet")
    assert list(found.columns) == ["row", "id", "class", "name", "probability", "p_oak", "p_elm, white"]
    assert found["row"].tolist() == list(range(25))
    assert found["id"].tolist() == ids(25)
    assert found["class"].tolist() == best.tolist()
    assert found["name"].tolist() == [CLASSES[each] for each in best]
    np.testing.assert_array_equal(found.filter(like="p_"), proba)
    np.testing.assert_array_equal(found["probability"], proba.max(axis=1))
    assert pq.ParquetFile(tmp_path / "out.parquet").metadata.num_row_groups == 7


@pytest.mark.parametrize("names", [None, ["oak", "oak"]])
def test_classes_that_names_do_not_tell_apart_are_numbers(tmp_path: Path, names: list[str] | None) -> None:
    output = ParquetOutput(tmp_path / "out", 2, ClassAnswers(names))
    output.add(Scored(0, 1, np.float32([[0.25, 0.75]])))
    output.close()
    found = pq.read_table(tmp_path / "out").to_pylist()
    assert found == [
        {"row": 0, "class": 1, **({"name": "oak"} if names else {}), "probability": 0.75, "p_0": 0.25, "p_1": 0.75}
    ]


def test_ids_keep_their_type(tmp_path: Path) -> None:
    x, model = table(3), numpy_model(tmp_path)
    for array in (
        pa.array([7, None, 9], pa.int64()),
        pa.array([0, 1, 2], pa.timestamp("us")),
        pa.array(["a", "b", "a"]).dictionary_encode(),
    ):
        columns = {"key": array, **dict(zip(NAMES, x.T.copy(), strict=True))}
        pq.write_table(pa.table(columns), tmp_path / "in.parquet")
        score_file(Job(tmp_path / "in.parquet", tmp_path / "out.parquet", id="key"), model, "")
        found = pq.read_table(tmp_path / "out.parquet").column("id").combine_chunks()
        assert found.to_pylist() == array.to_pylist()
        plain = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
        assert found.type == plain.type


def outputs(folder: Path, *ids: Any) -> dict[str, Any]:
    """What each kind of file holds of blocks with these ids, through the journal's bytes."""
    proba = np.float32([[0.25, 0.75], [0.5, 0.5]])
    found: dict[str, Any] = {}
    for kind in ("csv", "parquet"):
        file = folder / f"out.{kind}"
        output = output_of(f".{kind}", file, 2, ClassAnswers(None))
        for start, each in enumerate(ids):
            output.add(Scored(2 * start, 2, proba, unpack(pack(each))))
        output.close()
        if kind == "csv":
            found[kind] = [row["id"] for row in csv.DictReader(file.open())]
        else:
            column = pq.read_table(file).column("id")
            found[kind] = (str(column.type), column.to_pylist())
    return found


def test_ids_of_every_kind_are_written_whatever_block_they_are_in(tmp_path: Path) -> None:
    whole = np.array([1, 2, 2**63, 2**64 - 1], np.uint64)
    found = outputs(tmp_path, whole[:2], whole[2:])
    assert found == {"csv": [str(each) for each in whole.tolist()], "parquet": ("uint64", whole.tolist())}
    for given, parquet in (
        ([-1, 2**63], ("string", ["-1", str(2**63)])),
        ([2**70, 1], ("string", [str(2**70), "1"])),
        ([2**63, 0], ("uint64", [2**63, 0])),
        (["a", 1], ("string", ["a", "1"])),
    ):
        assert outputs(tmp_path, given)["parquet"] == parquet
    day = outputs(tmp_path, pa.array([datetime(2024, 1, 1), datetime(2024, 1, 2)]))
    assert day["csv"] == ["2024-01-01T00:00:00", "2024-01-02T00:00:00"]
    with pytest.raises(GraphKDError, match="ids 1 and '1' are the same text in a file: rename one of them"):
        outputs(tmp_path, [1, "1"])


def test_ids_of_bytes_are_texts(tmp_path: Path) -> None:
    x, model = table(2), numpy_model(tmp_path)
    columns = {"id": pa.array([b"n0", "é".encode()]), **dict(zip(NAMES, x.T.copy(), strict=True))}
    pq.write_table(pa.table(columns), tmp_path / "in.parquet")
    score_file(Job(tmp_path / "in.parquet", tmp_path / "out.csv"), model, "")
    assert [row["id"] for row in csv.DictReader((tmp_path / "out.csv").open(encoding="utf-8"))] == ["n0", "é"]


def test_an_index_that_pandas_keeps_as_a_range_names_rows(tmp_path: Path) -> None:
    x, model = table(25), numpy_model(tmp_path)
    frame = pd.DataFrame(x, columns=NAMES, index=pd.RangeIndex(100, 50, -2, name="id"))
    frame.to_parquet(tmp_path / "in.parquet")
    assert "id" not in pq.ParquetFile(tmp_path / "in.parquet").schema_arrow.names
    score_file(Job(tmp_path / "in.parquet", tmp_path / "out.parquet"), model, "")
    assert pq.read_table(tmp_path / "out.parquet").column("id").to_pylist() == list(range(100, 50, -2))


def test_the_first_row_that_cannot_be_scored_is_named(tmp_path: Path) -> None:
    x, model = with_nan(table()), numpy_model(tmp_path, NAMES)
    for name, file in write_all(tmp_path / "rows", x).items():
        with pytest.raises(GraphKDError) as caught:
            score_file(Job(file, tmp_path / "out.csv", header=name != "bare.csv"), model, "")
        text = name.removesuffix(".gz")
        held = "nothing" if text in ("named.csv", "named.tsv", "named.jsonl") else "NaN or nothing"
        lines = {"named.csv": 7, "named.tsv": 7, "named.jsonl": 6, "bare.csv": 6}
        where = f"line {lines[text]}" if text in lines else "row 5 (from 0)"
        expected = f"{file} {where}: column 'girth' holds {held}; correct it, or --rejects FILE puts"
        assert str(caught.value) == f"{expected} such rows aside"
        assert not (tmp_path / "out.csv").exists()


def test_rows_whose_answer_is_no_number_are_put_aside(tmp_path: Path) -> None:
    x, model = table(25), numpy_model(tmp_path)
    x[[3, 4, 20]] = 3e38
    engine = model.engine
    model.engine = replace(engine, logits=lambda rows: np.where(rows[:, :1] > 1e38, np.nan, engine.logits(rows)))
    np.save(tmp_path / "in.npy", x)
    job = Job(tmp_path / "in.npy", tmp_path / "out.npy", tmp_path / "bad.csv")
    assert score_file(job, model, "") == (22, 3)
    bad = list(csv.DictReader((tmp_path / "bad.csv").open()))
    assert [row["row"] for row in bad] == ["3", "4", "20"]
    assert {row["reason"] for row in bad} == {"has an answer that is no number: its values are too large"}
    assert np.isnan(np.load(tmp_path / "out.npy")).any(axis=1).nonzero()[0].tolist() == [3, 4, 20]


def test_rejects_are_put_aside_and_the_others_scored(tmp_path: Path) -> None:
    x, model = with_nan(table()), numpy_model(tmp_path)
    good = np.flatnonzero(np.isfinite(x).all(axis=1))
    proba = model.predict_proba(x[good])
    for name, file in write_all(tmp_path / "rows", x).items():
        for kind in ("csv", "npy", "parquet"):
            out = tmp_path / f"out.{kind}"
            job = Job(file, out, tmp_path / "bad.csv", header=name != "bare.csv")
            assert score_file(job, model, "") == (22, 3)
        has_ids = name.startswith("named") or name in ("array.npz", "lists.parquet", "fixed.parquet")
        key = dict.fromkeys((5, 6, 17), "") if not has_ids else {5: "005", 6: "006", 17: "017"}
        with (tmp_path / "bad.csv").open() as lines:
            head, *rows = csv.reader(lines)
        assert head == ["row", "id", "reason"]
        assert [(int(row), found) for row, found, _ in rows] == list(key.items())
        assert rows[0][2].endswith(("holds NaN or nothing", "holds nothing"))
        assert " holds -infinity" in rows[1][2]
        assert pd.read_csv(tmp_path / "out.csv")["row"].tolist() == good.tolist()
        found = pd.read_parquet(tmp_path / "out.parquet")
        assert found["row"].tolist() == good.tolist()
        np.testing.assert_allclose(found.filter(like="p_"), proba, rtol=1e-5)
        array = np.load(tmp_path / "out.npy")
        np.testing.assert_allclose(array[good], proba, rtol=1e-5)
        assert np.isnan(array[[5, 6, 17]]).all()
    np.save(tmp_path / "all.npy", np.full((5, 3), np.nan))
    assert score_file(Job(tmp_path / "all.npy", tmp_path / "out.parquet", tmp_path / "bad.csv"), model, "") == (
        0,
        5,
    )


class Killed(BaseException):
    """As if the process had ended."""


@pytest.mark.parametrize("kind", ["csv", "npy", "parquet"])
@pytest.mark.parametrize("source", ["named.parquet", "named.csv", "named.jsonl.gz", "csr.npz", "array.npy"])
def test_killed_after_any_block_it_ends_in_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, source: str
) -> None:
    file, model = write_all(tmp_path / "rows", with_nan(table()))[source], numpy_model(tmp_path)
    job = Job(file, tmp_path / f"out.{kind}", tmp_path / "bad.csv")
    score_file(job, model, "")
    expected, rejected = job.output.read_bytes(), (tmp_path / "bad.csv").read_bytes()
    add, scored = Journal.add, []

    def count(self: Journal, block: Any) -> None:
        scored.append(block.start)
        add(self, block)
        if len(scored) == 2:
            raise Killed

    for file in (job.output, tmp_path / "bad.csv"):
        file.unlink()
    monkeypatch.setattr(Journal, "add", count)
    starts: list[int] = []
    for _ in range(4):
        scored.clear()
        try:
            score_file(job, model, "")
        except Killed:
            assert not job.output.exists()
        starts += scored
    assert starts == list(range(0, 25, 4)), "each block is scored once"
    assert job.output.read_bytes() == expected
    assert (tmp_path / "bad.csv").read_bytes() == rejected
    assert not list(tmp_path.glob(".*"))


@pytest.mark.slow
def test_a_real_kill(tmp_path: Path) -> None:
    write_all(tmp_path, table())
    bundle(tmp_path)
    program = """
import os, signal, sys
from pathlib import Path
from graphkd.cli import main
from graphkd.deploy.batch import block, journal
block.MOST_ROWS, block.LEAST_ROWS = 4, 1
add = journal.Journal.add
def last(self, one):
    add(self, one)
    if self.finished == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
journal.Journal.add = last
sys.exit(main(["predict", "bundle", "named.parquet", "out.parquet", "--runtime", "numpy"]))
"""

    def run(after: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", program, str(after)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (run(99).stdout, run(99).stderr) == ("25 predictions: out.parquet\n", "")
    expected = (tmp_path / "out.parquet").read_bytes()
    (tmp_path / "out.parquet").unlink()
    assert run(3).returncode == -signal.SIGKILL
    done = run(99)
    assert done.stderr.startswith("graphkd: goes on after 3 finished blocks of 4 rows")
    assert (tmp_path / "out.parquet").read_bytes() == expected
    assert not list(tmp_path.glob(".*"))


def stop_after_3(self: Journal, block: Any) -> None:
    """In the place of ``Journal.add``."""
    if self.finished == 3:
        raise Killed
    ADD(self, block)


def other_model(folder: Path) -> RowPredictor:
    """One with other weights."""
    model = student("none", 2, num_features=3, num_classes=2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(-1.5).add_(0.25)
    sizes = {"num_features": 3, "hidden_dim": 7, "num_classes": 2, "num_layers": 2}
    write_bundle(folder / "bundle", model, sizes, STEPS, Encoding(), CLASSES, {"dataset": "x"}, None)
    found = load_bundle(folder / "bundle", "numpy")
    assert isinstance(found, RowPredictor)
    return found


@pytest.mark.parametrize("kind", ["npy", "csv", "parquet"])
@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 0)])
def test_nothing_is_taken_from_another_model(
    kind: str, first: int, second: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two students of the same sizes that say something else of every row."""
    x, models = table(), [numpy_model(tmp_path), other_model(tmp_path / "other")]
    np.save(tmp_path / "in.npy", x)
    assert not np.isclose(*(model.predict_proba(x) for model in models)).any()
    alone = Job(tmp_path / "in.npy", tmp_path / f"alone.{kind}")
    score_file(alone, models[second], f"student {second}")
    job = Job(tmp_path / "in.npy", tmp_path / f"out.{kind}")
    monkeypatch.setattr(Journal, "add", stop_after_3)
    with pytest.raises(Killed):
        score_file(job, models[first], f"student {first}")
    monkeypatch.setattr(Journal, "add", ADD)
    score_file(job, models[second], f"student {second}")
    assert job.output.read_bytes() == alone.output.read_bytes()


CHANGES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "the column of ids": {"id": "key"},
    "the rows": {"rows": "other.csv"},
    "when they were written": {"touch": 1},
    "the version": {"version": "another"},
    "the rows of a block": {"block": 5},
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.filterwarnings("ignore:.*are no features of the student")
def test_nothing_is_taken_from_a_job_that_reads_otherwise(
    change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, model = CHANGES[change], numpy_model(tmp_path, NAMES)
    for name in ("in.csv", "other.csv"):
        frame(table()).assign(key=ids(25)).to_csv(tmp_path / name, index=False)
    job = Job(tmp_path / "in.csv", tmp_path / "out.csv", id="id")
    monkeypatch.setattr(Journal, "add", stop_after_3)
    with pytest.raises(Killed):
        score_file(job, model, "one")
    if "touch" in other:
        os.utime(job.rows, ns=(0, job.rows.stat().st_mtime_ns + 1))
    monkeypatch.setattr(score_module, "__version__", other.get("version", score_module.__version__))
    monkeypatch.setattr(block_module, "MOST_ROWS", other.get("block", 4))
    scored: list[int] = []
    monkeypatch.setattr(Journal, "add", lambda self, block: (scored.append(block.start), ADD(self, block)))
    score_file(replace(job, id=other.get("id", "id"), rows=tmp_path / other.get("rows", "in.csv")), model, "one")
    assert scored[0] == (12 if change == "nothing" else 0)


def test_names_in_the_first_line_are_no_row_of_a_job_that_had_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of the same size and time; read with a header its rows begin a line later."""
    np.savetxt(tmp_path / "in.csv", table(), delimiter=",")
    job, model = Job(tmp_path / "in.csv", tmp_path / "out.csv", header=False), numpy_model(tmp_path)
    monkeypatch.setattr(Journal, "add", stop_after_3)
    with pytest.raises(Killed):
        score_file(job, model, "one")
    lines = (tmp_path / "in.csv").read_text().splitlines()
    stamp = (tmp_path / "in.csv").stat()
    lines[0] = "height,girth," + "a" * (len(lines[0]) - len("height,girth,"))
    (tmp_path / "in.csv").write_text("\n".join(lines) + "\n")
    os.utime(tmp_path / "in.csv", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert (tmp_path / "in.csv").stat().st_size == stamp.st_size
    scored: list[int] = []
    monkeypatch.setattr(Journal, "add", lambda self, block: (scored.append(block.start), ADD(self, block)))
    assert score_file(replace(job, header=True), model, "one") == (24, 0)
    assert scored[0] == 0


def test_nothing_is_taken_from_another_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x, model = table(), numpy_model(tmp_path)
    np.save(tmp_path / "in.npy", x)
    job, add = Job(tmp_path / "in.npy", tmp_path / "out.npy"), Journal.add

    def stop(self: Journal, block: Any) -> None:
        if self.finished == 3:
            raise Killed
        add(self, block)

    for change in ("student", "rows"):
        monkeypatch.setattr(Journal, "add", stop)
        with pytest.raises(Killed):
            score_file(job, model, "one")
        monkeypatch.setattr(Journal, "add", add)
        if change == "rows":
            np.save(tmp_path / "in.npy", x[::-1])
        score_file(job, model, "two" if change == "student" else "one")
        expected = model.predict_proba(x if change == "student" else x[::-1])
        np.testing.assert_allclose(np.load(tmp_path / "out.npy"), expected, rtol=1e-5)


def test_the_command_takes_nothing_from_another_student_runtime_or_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two students that answer differently: which, in which runtime and of which export is part of a job."""
    monkeypatch.chdir(tmp_path)
    np.save("in.npy", table())
    add = Journal.add
    bundles = {}
    for seed in (1, 2):
        torch.manual_seed(seed)
        model = MLP(3, 7, 2, num_layers=2).eval()
        sizes = {"num_features": 3, "hidden_dim": 7, "num_classes": 2, "num_layers": 2}
        write_bundle(tmp_path / str(seed), model, sizes, Preprocessing(), Encoding(), CLASSES, {})
        assert main(["predict", str(seed), "in.npy", "out.npy", "--runtime", "numpy"]) == 0
        bundles[seed] = Path("out.npy").read_bytes()
    assert bundles[1] != bundles[2]

    def stop(self: Journal, block: Any) -> None:
        if self.finished == 3:
            raise Killed
        add(self, block)

    scored: list[int] = []

    def count(self: Journal, block: Any) -> None:
        scored.append(block.start)
        add(self, block)

    for first, second, runtime, blocks in (
        (1, 2, "numpy", 7),
        (2, 1, "numpy", 7),
        (1, 1, "torch", 7),
        (1, 1, "numpy", 4),
    ):
        monkeypatch.setattr(Journal, "add", stop)
        with pytest.raises(Killed):
            main(["predict", str(first), "in.npy", "out.npy", "--runtime", "numpy"])
        monkeypatch.setattr(Journal, "add", count)
        scored.clear()
        assert main(["predict", str(second), "in.npy", "out.npy", "--runtime", runtime]) == 0
        assert len(scored) == blocks
        if runtime == "numpy":
            assert Path("out.npy").read_bytes() == bundles[second]


def test_drafts_of_a_killed_job_are_removed(tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", table())
    (tmp_path / ".bad.csv.abcdefgh.draft").write_text("half")
    (tmp_path / ".bad.csv.progress").write_text("a user's own")
    job = Job(tmp_path / "in.npy", tmp_path / "out.npy", tmp_path / "bad.csv")
    score_file(job, numpy_model(tmp_path), "")
    assert [file.name for file in tmp_path.glob(".*")] == [".bad.csv.progress"]
    assert (tmp_path / ".bad.csv.progress").read_text() == "a user's own"


def test_a_mistake_late_in_the_file_does_not_cost_what_was_scored(tmp_path: Path) -> None:
    x, model = table(), numpy_model(tmp_path)
    x[20] = np.nan
    np.save(tmp_path / "in.npy", x)
    with pytest.raises(GraphKDError, match="row 20"):
        score_file(Job(tmp_path / "in.npy", tmp_path / "out.npy"), model, "")
    assert len(list((tmp_path / ".out.npy.progress").glob("block-*"))) == 5
    job = Job(tmp_path / "in.npy", tmp_path / "out.npy", tmp_path / "bad.csv")
    assert score_file(job, model, "") == (24, 1)
    assert not list(tmp_path.glob(".*"))


def test_one_process_writes_an_output(tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", table())
    folder = tmp_path / ".out.npy.progress"
    folder.mkdir()
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(GraphKDError, match=r"out\.npy is being written by another process: wait for it"):
        score_file(Job(tmp_path / "in.npy", tmp_path / "out.npy"), numpy_model(tmp_path), "")
    os.close(handle)


def test_no_rows(tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", table(0))
    for kind in ("csv", "npy", "parquet"):
        assert score_file(Job(tmp_path / "in.npy", tmp_path / f"out.{kind}"), numpy_model(tmp_path), "") == (0, 0)
    assert np.load(tmp_path / "out.npy").shape == (0, 2)
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 0
    assert (tmp_path / "out.csv").read_text() == "row,class,name,probability\n"


def test_rows_of_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_module, "MOST_ROWS", 2**16)
    monkeypatch.setattr(block_module, "LEAST_ROWS", 2**10)
    assert rows_of_a_block(3, 2) == 2**16
    assert rows_of_a_block(128, 40) == 2**15
    assert rows_of_a_block(1433, 7) == 2**12
    assert rows_of_a_block(100_000, 7) == 2**10


@pytest.mark.slow
def test_memory_does_not_depend_on_the_rows(tmp_path: Path) -> None:
    """40 times the rows of a block, in columns and in an archive."""
    numpy_model(tmp_path)
    x = np.zeros((2_600_000, 3), dtype=np.float32)
    pd.DataFrame(x, columns=NAMES).to_parquet(tmp_path / "in.parquet")
    np.savez(tmp_path / "in.npz", x=x)
    setup = f"""
from pathlib import Path
from graphkd import load_bundle
from graphkd.deploy.batch.score import Job, score_file
model = load_bundle({str(tmp_path)!r}, "numpy")
def run(name, rows):
    score_file(Job(Path({str(tmp_path)!r}, name), Path({str(tmp_path)!r}, "out.parquet")), model, "")
import numpy as np, pandas as pd
np.savez({str(tmp_path / "few.npz")!r}, x=np.zeros((150_000, 3), dtype=np.float32))
run("few.npz", 0)
"""
    assert peak_growth(setup, 'run("in.npz", 0); run("in.parquet", 0)') < 25e6
