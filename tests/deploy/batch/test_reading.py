from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse

from graphkd import GraphKDError
from graphkd.deploy.batch.columns import Wanted
from graphkd.deploy.batch.ids import as_list
from graphkd.deploy.batch.reading import open_rows, whole
from tests.deploy.batch.files import NAMES, WANTED, frame, ids, table, write_all, write_lists

NAMED = Wanted(3, NAMES)
TEXT = pa.Schema.from_pandas(pd.DataFrame({"text": ["1"]})).field("text").type  # another one before pandas 3


def read(file: Path, rows: int = 10, skip: int = 0, wanted: Wanted = WANTED) -> list[Any]:
    return list(whole(open_rows(file, wanted), file, rows, skip))


def dense(x: Any) -> np.ndarray:
    return x.toarray() if hasattr(x, "toarray") else x


@pytest.mark.parametrize("rows", [1, 4, 10, 25, 40])
def test_every_kind_of_file_gives_the_same_rows_from_any_block_on(tmp_path: Path, rows: int) -> None:
    x = table()
    for name, file in write_all(tmp_path / "rows", x).items():
        wanted = Wanted(3, header=name != "bare.csv")
        blocks = read(file, rows, wanted=wanted)
        assert [block.start for block in blocks] == list(range(0, 25, rows))
        np.testing.assert_array_equal(np.concatenate([dense(block.x) for block in blocks]), x)
        assert {block.x.dtype for block in blocks} == {np.dtype(np.float32)}
        has_ids = not name.startswith(("columns", "bare", "c")) and name != "array.npy"
        found = [each for block in blocks if block.ids is not None for each in as_list(block.ids)]
        assert found == (ids(25) if has_ids else [])
        for skip in range(len(blocks) + 1):
            rest = read(file, rows, skip, wanted)
            assert [block.start for block in rest] == [block.start for block in blocks[skip:]]
            for one, two in zip(rest, blocks[skip:], strict=True):
                np.testing.assert_array_equal(dense(one.x), dense(two.x))
        if name in ("csr.npz", "coo.npz"):
            assert all(scipy.sparse.issparse(block.x) for block in blocks)


def test_an_empty_file_is_one_empty_block(tmp_path: Path) -> None:
    files = write_all(tmp_path / "rows", table(0))
    for name in ("bare.csv", "named.jsonl", "named.jsonl.gz"):  # without a line it could be anything
        files.pop(name).unlink()
    for name in files:
        assert [block.x.shape for block in read(files[name])] == [(0, 3)], name
        assert read(files[name], skip=1) == []


def test_names_decide_where_the_student_has_them(tmp_path: Path) -> None:
    x = table()
    mixed = frame(x)[["age", "id", "girth", "height"]].assign(label="oak", split="train")
    mixed.to_parquet(tmp_path / "a.parquet")
    mixed.to_csv(tmp_path / "a.csv", index=False)
    for name in ("a.parquet", "a.csv"):
        (block,) = read(tmp_path / name, 40, wanted=NAMED)
        np.testing.assert_array_equal(block.x, x)
        (block,) = read(tmp_path / name, 40)
        np.testing.assert_array_equal(block.x, x[:, [2, 1, 0]])
        (block,) = read(tmp_path / name, 40, wanted=Wanted(3, NAMES, "split"))
        assert set(as_list(block.ids)) == {"train"}


def test_numbers_of_every_type(tmp_path: Path) -> None:
    columns = {
        "height": pa.array([1, 2, None], pa.int64()),
        "girth": pa.array([True, False, True]),
        "age": pa.array([1.5, 2.5, 1.5]).dictionary_encode(),
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    (block,) = read(tmp_path / "a.parquet")
    np.testing.assert_array_equal(block.x, np.float32([[1, 1, 1.5], [2, 0, 2.5], [np.nan, 1, 1.5]]))
    columns = {
        "height": pa.array([Decimal("1.25")], pa.decimal128(5, 2)),
        "girth": pa.array([1e300]),
        "age": pa.nulls(1),
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    (block,) = read(tmp_path / "a.parquet")
    np.testing.assert_array_equal(block.x, np.float32([[1.25, np.inf, np.nan]]))


def test_rows_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    write_lists(tmp_path / "a.parquet", table(3), fixed=False)
    columns = {"features": pa.array([[1.0, 2, 3], [1.0], None, [4.0, 5, None]])}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    (block,) = read(tmp_path / "a.parquet")
    assert block.faults == {
        1: "holds a list of 1 numbers, 3 expected",
        2: "holds a list of 0 numbers, 3 expected",
    }
    np.testing.assert_array_equal(block.x, np.float32([[1, 2, 3], [0, 0, 0], [0, 0, 0], [4, 5, np.nan]]))
    lines = [
        "height,id,girth,age",
        '1,"a,b",2,3',
        "1,c,2",
        "x,d,2,3",
        "1,e,,3",
        "",
        "1,f,nan,3",
        "1_0,g,2,3",
        "1,h,2,3,4",
    ]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    (block,) = read(tmp_path / "a.csv")
    assert block.ids == ["a,b", *"cde", "", *"fgh"]
    assert block.faults == {
        1: "has 3 cells, 4 expected",
        2: "column 'height' holds 'x'",
        3: "column 'girth' holds nothing",
        4: "has 0 cells, 4 expected",
        6: "column 'height' holds '1_0'",
        7: "has 5 cells, 4 expected",
    }
    np.testing.assert_array_equal(block.x[[0, 5]], np.float32([[1, 2, 3], [1, np.nan, 3]]))


def test_csv_as_others_write_it(tmp_path: Path) -> None:
    for text in ("\ufeffheight,girth,age\r\n1,2,3\r\n", "1e0, 2 ,3", '"1","2","3"\n\n'):
        (tmp_path / "a.csv").write_text(text)
        (block,) = read(tmp_path / "a.csv", wanted=Wanted(3, header="height" in text))
        np.testing.assert_array_equal(block.x, np.float32([[1, 2, 3]]))


def a_frame(kind: str, **columns: Any) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        file = folder / f"a.{kind}"
        table = pd.DataFrame(columns)
        table.to_parquet(file) if kind == "parquet" else table.to_csv(file, index=False)
        return file

    return write


def a_file(name: str, write: Callable[[Path], Any]) -> Callable[[Path], Path]:
    def made(folder: Path) -> Path:
        write(folder / name)
        return folder / name

    return made


def truncated(folder: Path) -> Path:
    np.savez(folder / "a.npz", x=table())
    content = (folder / "a.npz").read_bytes()
    (folder / "a.npz").write_bytes(content[: len(content) // 2])
    return folder / "a.npz"


def twice(file: Path) -> None:
    pq.write_table(pa.table([[1.0], [2.0]], names=["a", "a"]), file)


MISTAKES: dict[str, tuple[Callable[[Path], Path], Wanted, str]] = {
    "no file": (
        lambda folder: folder / "a.npy",
        WANTED,
        "is no file: give rows as .parquet, .csv, .tsv, .jsonl, .csv.gz",
    ),
    "another kind": (a_file("a.xlsx", Path.touch), WANTED, "ends in '.xlsx': rows come as .parquet"),
    "text for an array": (a_file("a.npy", lambda f: f.write_text("x")), WANTED, "does not hold rows of numbers"),
    "text for parquet": (a_file("a.parquet", lambda f: f.write_text("x")), WANTED, "cannot be read as parquet"),
    "objects": (
        a_file("a.npy", lambda f: np.save(f, np.array([{}], object), allow_pickle=True)),
        WANTED,
        "does not hold rows of numbers",
    ),
    "objects in an archive": (
        a_file("a.npz", lambda f: np.savez(f, x=np.array([{}], object))),
        WANTED,
        "does not hold rows of numbers",
    ),
    "one dimension": (
        a_file("a.npy", lambda f: np.save(f, np.ones(3))),
        WANTED,
        "must hold [rows, features]",
    ),
    "letters": (a_file("a.npy", lambda f: np.save(f, np.array([["a"]]))), WANTED, "but holds [1, 1] <U1"),
    "another array": (a_file("a.npz", lambda f: np.savez(f, y=table())), WANTED, "holds no array x: it has y"),
    "another width": (
        a_file("a.npy", lambda f: np.save(f, np.ones((2, 4)))),
        WANTED,
        "holds rows of 4 features, the student takes 3",
    ),
    "another width, sparse": (
        a_file("a.npz", lambda f: scipy.sparse.save_npz(f, scipy.sparse.eye_array(4, format="csr"))),
        WANTED,
        "holds rows of 4 features, the student takes 3",
    ),
    "fewer ids": (a_file("a.npz", lambda f: np.savez(f, x=table(), ids=[1])), WANTED, "holds 1 ids for 25 rows"),
    "ids of an array": (
        a_file("a.npy", lambda f: np.save(f, table())),
        Wanted(3, id="key"),
        "has no named columns: leave --id out",
    ),
    "an archive cut off": (truncated, WANTED, "a.npz does not hold rows of numbers"),
    "an empty csv": (a_file("a.csv", Path.touch), WANTED, "is empty: give a line of names, and a line per row"),
    "another encoding": (
        a_file("a.csv", lambda f: f.write_bytes("größe\n1".encode("latin-1"))),
        WANTED,
        "is no UTF-8 text",
    ),
    "too few columns without names": (
        a_file("a.csv", lambda f: f.write_text("1,2\n")),
        Wanted(3, header=False),
        "has 2 columns and no line of names, the student takes 3 features",
    ),
    "an id without names": (
        a_file("a.csv", lambda f: f.write_text("1,2,3\n")),
        Wanted(3, id="key", header=False),
        "without names of columns: leave --id out",
    ),
    "a line break in a cell": (
        a_file("a.csv", lambda f: f.write_text('height,girth,age\n"1\n",2,3\n')),
        NAMED,
        "line 2 holds a quote that does not end on it",
    ),
    "numbers where names should be": (
        a_file("a.csv", lambda f: f.write_text("1,2,3\n4,5,6\n")),
        NAMED,
        "begins with a line of numbers: write a line of column names before it, or give --no-header",
    ),
    "no such id": (
        a_frame("csv", a=[1], b=[1], c=[1]),
        Wanted(3, id="key"),
        "has no column 'key' to be the id",
    ),
    "too many columns": (
        a_frame("parquet", a=[1], b=[1], c=[1], d=[1], id=[1]),
        WANTED,
        "has 4 columns of features (a, b, c, d), the student takes 3",
    ),
    "a column is missing": (
        a_frame("parquet", height=[1], age=[1]),
        NAMED,
        "has no column 'girth': the student takes height, girth, age",
    ),
    "a column of texts": (
        a_frame("parquet", height=["1"], girth=[2], age=[3]),
        NAMED,
        f"column 'height' holds {TEXT}, the student takes numbers",
    ),
    "a column of dates": (
        a_frame("parquet", height=[pd.Timestamp(0)], girth=[2], age=[3]),
        NAMED,
        "column 'height' holds timestamp",
    ),
    "lists of texts": (
        a_frame("parquet", x=[["a", "b", "c"]]),
        WANTED,
        "column 'x' holds string, the student",
    ),
    "a name twice": (a_file("a.parquet", twice), Wanted(2), "has 2 columns 'a': rename all but one"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_one_line(tmp_path: Path, case: str) -> None:
    make, wanted, message = MISTAKES[case]
    file = make(tmp_path)
    with pytest.raises(GraphKDError) as caught:
        read(file, wanted=wanted)
    assert message in str(caught.value).replace("item: ", "")
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_damage_that_shows_later_says_from_where(tmp_path: Path) -> None:
    file = tmp_path / "a.npz"
    np.savez(file, x=np.random.default_rng(0).random((100_000, 3), dtype=np.float32))
    content = bytearray(file.read_bytes())
    content[-200_000] ^= 1
    file.write_bytes(content)
    with pytest.raises(GraphKDError, match="cannot be read from row 90000 on .*Bad CRC-32.*: write it again"):
        read(file, 10_000)


def test_parquet_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame(table()).to_parquet(tmp_path / "a.parquet")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    with pytest.raises(GraphKDError, match=r"needs pyarrow: pip install 'graphkd\[parquet\]'"):
        read(tmp_path / "a.parquet")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_columns_that_are_no_features_are_ignored_with_a_warning(kind: str, tmp_path: Path) -> None:
    make = a_frame(kind, height=[1], colour=[4], girth=[2], age=[3], id=[1])
    with pytest.warns(UserWarning, match="no features of the student and are ignored: 'colour'"):
        (block,) = read(make(tmp_path), wanted=NAMED)
    assert dense(block.x).tolist() == [[1, 2, 3]]


def test_names_that_are_numbers_are_names(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("2021,2019,2020\n3,1,2\n")
    (block,) = read(tmp_path / "a.csv", wanted=Wanted(3, ["2019", "2020", "2021"]))
    assert block.x.tolist() == [[1, 2, 3]]


def test_truth_values_are_numbers_and_an_empty_line_is_a_row_but_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("f\nTrue\n\nfalse\n0.5\n\n\n")
    (block,) = read(tmp_path / "a.csv", wanted=Wanted(1, ["f"]))
    assert block.x[[0, 2, 3], 0].tolist() == [1, 0, 0.5]
    assert block.faults == {1: "has 0 cells, 1 expected"}


def test_ids_are_texts_whole_numbers_of_any_size_and_dates(tmp_path: Path) -> None:
    given = {
        "bytes": (np.array(["n0", "n1"], dtype="S"), ["n0", "n1"]),
        "uint64": (np.array([2**63, 2**63 + 1], dtype=np.uint64), [2**63, 2**63 + 1]),
        "dates": (
            np.array(["2024-01-01", "2024-01-02"], "M8[ns]"),
            ["2024-01-01T00:00:00", "2024-01-02T00:00:00"],
        ),
    }
    for name, (array, expected) in given.items():
        np.savez(tmp_path / f"{name}.npz", x=np.ones((2, 3), np.float32), ids=array)
        (block,) = read(tmp_path / f"{name}.npz")
        assert as_list(block.ids) == expected


def test_a_comma_within_quotes_divides_no_cells(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('id,height,girth,age\n"a,b",1,2,3\n"a,b",5,7\n')
    (block,) = read(tmp_path / "a.csv", wanted=NAMED)
    assert block.ids[0] == "a,b"
    assert block.faults == {1: "has 3 cells, 4 expected"}


@pytest.mark.parametrize(("names", "said"), [(NAMES, "column 'girth' holds 'x'"), (None, "feature 1 holds 'x'")])
def test_a_fault_names_the_feature_where_only_the_student_knows_its_name(
    names: list[str] | None, said: str, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("1,2,3\n4,x,6\n")
    (block,) = open_rows(tmp_path / "a.csv", Wanted(3, names, header=False)).blocks(8, 0)
    assert block.faults == {1: said}
