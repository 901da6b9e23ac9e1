"""What may be wrong in tables of parts: one line that names the part and the row."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from graphkd import GraphKDError
from graphkd.ingest import ingest_folder
from tests.ingest.tables import frames, write_parts

pytest.importorskip("duckdb")

Change = Callable[[pd.DataFrame], pd.DataFrame]


def part(table: str, number: int, change: Change) -> Callable[[Path], Any]:
    """Rewrites one part of a table."""

    def spoil(folder: Path) -> None:
        file = folder / table / f"part-{number}.parquet"
        change(pd.read_parquet(file)).to_parquet(file, index=False)

    return spoil


def cell(column: str, row: int, value: Any) -> Change:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        cells = table[column].astype(object)
        cells[row] = value
        return table.assign(**{column: cells})

    return change


def spoil_bytes(file: Path) -> None:
    """Leaves the end of a parquet file, which says where its columns are."""
    content = file.read_bytes()
    file.write_bytes(content[:4] + bytes(60) + content[64:])


TEXTS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "unknown": (
        part("edges", 2, cell("target", 4, "x")),
        r"part-2\.parquet column 'target' names 'x' \(row 4\), which",
    ),
    "unknown source": (
        part("edges", 0, cell("source", 8, "x")),
        r"part-0.* 'source' names 'x' \(row 8\), which is no",
    ),
    "empty end": (
        part("edges", 2, cell("source", 3, None)),
        r"part-2\.parquet column 'source' is empty in row 3: give",
    ),
    "no text": (part("edges", 2, cell("source", 3, "")), r"names '' \(row 3\), which is no node"),
    "no utf-8": (
        part("edges", 1, lambda table: table.assign(source=[b"\xff"])),
        r"part-1\.parquet column 'source' holds bytes that are no UTF-8 text",
    ),
    "numbers": (
        part("edges", 1, lambda table: table.assign(source=[1], target=[2])),
        r"part-0\.parquet holds texts as ids, .*part-1\.parquet whole numbers: give all parts one kind of id",
    ),
    "two kinds": (
        part("edges", 1, lambda table: table.assign(source=[1])),
        r"part-1\.parquet holds whole numbers as sources, texts as targets: give both one kind",
    ),
    "fractions": (
        part("edges", 1, lambda table: table.assign(source=[1.5])),
        r"column 'source' holds double: ids in parts are texts or whole numbers",
    ),
    "no target": (
        part("edges", 1, lambda table: table.drop(columns="target")),
        r"part-1\.parquet has no column 'target': there are source",
    ),
    "a further column": (
        part("edges", 1, lambda table: table.assign(since=[1])),
        r"part-1\.parquet has a column 'since', which is not read: name it weight or drop it",
    ),
    "some weights": (
        part("edges", 1, lambda table: table.assign(weight=[1.0])),
        r"part-0\.parquet has no column 'weight', .*part-1\.parquet has one: give all or none",
    ),
    "texts as weights": (
        part("edges", 1, lambda table: table.assign(weight=["1"])),
        r"part-1\.parquet column 'weight' holds (large_)?string, not numbers",
    ),
    "an id twice": (
        part("nodes", 2, cell("id", 0, "ü001")),
        r"nodes column 'id' holds 'ü001' twice \(rows \d+ and 11\): make ids unique",
    ),
    "no id": (part("nodes", 2, cell("id", 4, None)), r"nodes column 'id' is empty in row 15: give every"),
    "an empty id": (part("nodes", 2, cell("id", 4, "")), r"nodes column 'id' is empty in row 15: give every"),
    "ids in some parts": (
        part("nodes", 1, lambda table: table.drop(columns="id")),
        r"part-1\.parquet has no column 'id', .*part-0\.parquet has one: give all or none",
    ),
    "kinds of ids in nodes": (
        part("nodes", 1, lambda table: table.assign(id=[7])),
        r"part-0\.parquet holds texts as ids, .*part-1\.parquet whole numbers: give all",
    ),
    "no parquet": (lambda folder: (folder / "edges/part-0.csv").touch(), r"part-0\.csv is no parquet part: give"),
    "damaged": (
        lambda folder: (folder / "edges/part-0.parquet").write_bytes(b"?"),
        r"part-0\.parquet cannot be read as parquet .*: write it again",
    ),
    "a damaged column": (
        lambda folder: spoil_bytes(folder / "edges/part-2.parquet"),
        r"part-2\.parquet cannot be read as parquet .*: write it again",
    ),
    "two tables": (lambda folder: (folder / "nodes.csv").touch(), r"holds both nodes and nodes\.csv: keep one"),
}


@pytest.mark.parametrize("fault", TEXTS)
def test_it_is_refused_in_one_line(fault: str, tmp_path: Path) -> None:
    ends = [[row % 7 for row in range(18)], [row % 5 for row in range(18)]]
    parts = write_parts(tmp_path / "parts", *frames("string", 18, ends))
    spoil, message = TEXTS[fault]
    spoil(parts)
    with pytest.raises(GraphKDError, match=message) as caught:
        ingest_folder(parts, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"weight": [1.0] * 17 + [-1.0]},
            r"column 'weight' holds -1\.0 for edge 6: weights are finite and not below",
        ),
        ({"weight": [1.0] * 17 + [None]}, r"column 'weight' holds nan for edge 6"),
        ({"weight": [3e38] * 18}, "weights of an edge add up to more than single precision holds"),
        (
            {"source": ["1"] * 18, "target": ["2"] * 18},
            "names nodes by texts where .* holds whole numbers: give both",
        ),
        ({"source": [99] * 18}, r"part-0\.parquet column 'source' names 99 \(row 0\), which is no node"),
    ],
)
def test_ends_and_weights_are_checked_in_every_part(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    nodes, edges = frames("integer", 18, [[1] * 18, [2] * 18])
    with pytest.raises(GraphKDError, match=message):
        ingest_folder(write_parts(tmp_path / "parts", nodes, edges.assign(**changes)), tmp_path / "out")


@pytest.mark.parametrize("end", [18, -1, "07", "1.0", "x", "9" * 30])
def test_without_ids_ends_are_row_numbers(end: Any, tmp_path: Path) -> None:
    nodes, edges = frames("none", 18, [[1] * 12, [2] * 12])
    edges = edges.astype(str) if isinstance(end, str) else edges
    graph = ingest_folder(write_parts(tmp_path / "parts", nodes, edges), tmp_path / "out", directed=True)
    assert graph.edge_index.tolist() == [[1], [2]]
    edges.loc[11, "target"] = end
    parts = write_parts(tmp_path / "spoilt", nodes, edges)
    with pytest.raises(GraphKDError, match=r"part-2.* \(row 0\), but nodes are rows 0 to 17 without ids: correct"):
        ingest_folder(parts, tmp_path / "out")


def test_without_duckdb_the_line_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    parts = write_parts(tmp_path / "parts", *frames("integer", 12, [[1], [2]]))
    with pytest.raises(GraphKDError, match=r"need duckdb: pip install 'graphkd\[ingest\]'"):
        ingest_folder(parts, tmp_path / "out")


@pytest.mark.parametrize("budget", [0, 0.1, "4", float("nan")])
def test_a_budget_is_a_number_of_gigabytes(budget: Any, tmp_path: Path) -> None:
    parts = write_parts(tmp_path / "parts", *frames("integer", 12, [[1], [2]]))
    with pytest.raises(GraphKDError, match=r"memory_budget is .*: give gigabytes, at least 0\.25"):
        ingest_folder(parts, tmp_path / "out", memory_budget=budget)
