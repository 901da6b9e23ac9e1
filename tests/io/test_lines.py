"""Lines of plain files, packed ones and standard input: the same rows, and bounded memory."""

import gzip
import io
import sys
import tracemalloc
from contextlib import nullcontext
from pathlib import Path

import pytest

from graphkd import GraphKDError
from graphkd.io import lines as module
from graphkd.io.lines import LineTable, StandardInput
from tests.tiers import some_of

TEXT = "\ufeffname\r\n1\r\n\r\n3\n4\r\n\n\n"


def piped(monkeypatch: pytest.MonkeyPatch, content: bytes) -> StandardInput:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    return StandardInput()


def packed(folder: Path, content: bytes) -> Path:
    (folder / "a.csv.gz").write_bytes(gzip.compress(content, 1))
    return folder / "a.csv.gz"


@pytest.mark.parametrize("kind", ["plain", "packed", "piped"])
@pytest.mark.parametrize("header", [True, False])
def test_rows_are_the_same_from_every_kind_of_file(
    kind: str, header: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.csv").write_bytes(TEXT.encode())
    path: Path | StandardInput = tmp_path / "a.csv"
    if kind != "plain":
        path = packed(tmp_path, TEXT.encode()) if kind == "packed" else piped(monkeypatch, TEXT.encode())
    table = LineTable(path, header)
    assert table.first == "name\n"
    rows = ["1\n", "\n", "3\n", "4\n"] if header else ["name\n", "1\n", "\n", "3\n", "4\n"]
    skip = 0 if kind == "piped" else 1
    assert [line for block in table.blocks(2, skip) for line in block] == rows[2 * skip :]
    assert table.line_of(0) == 1 + header
    if kind == "piped":
        assert not sys.stdin.buffer.closed


def test_an_empty_text_has_no_first_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (packed(tmp_path, b""), piped(monkeypatch, b""), piped(monkeypatch, b"\n\n")):
        table = LineTable(path, header=True)
        assert table.first is None
        assert list(table.blocks(5)) == []


CONTENT = gzip.compress(b"a,b\n" + b"1,2\n" * 10**5)
DAMAGED = {
    "plain": (b"a,b\n1,2\n", "Not a gzipped file"),
    "empty": (b"", None),
    "cut off": (CONTENT[: len(CONTENT) // 2], "ended before the end-of-stream marker"),
    "without its end": (CONTENT[:-8], "ended before the end-of-stream marker"),
    "another checksum": (CONTENT[:-8] + bytes(8), "CRC check failed"),
    "a broken block": (CONTENT[:40] + b"\xff" * 60 + CONTENT[100:], "cannot be unpacked after line"),
    "more behind": (CONTENT + b"a,b\n", "Not a gzipped file"),
    "no text": (gzip.compress(b"a\n\xff\xfe"), "is no UTF-8 text"),
    "another encoding": (gzip.compress("größe\n1\n".encode("utf-16")), "is no UTF-8 text"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_packed_files_are_one_line(case: str, tmp_path: Path) -> None:
    content, message = DAMAGED[case]
    (tmp_path / "a.csv.gz").write_bytes(content)
    if message is None:
        assert LineTable(tmp_path / "a.csv.gz", True).first is None
        return
    with pytest.raises(GraphKDError, match=message) as caught:
        list(LineTable(tmp_path / "a.csv.gz", True).blocks(1000))
    assert str(caught.value).startswith(f"{tmp_path / 'a.csv.gz'} ")
    assert "\n" not in str(caught.value)


def test_two_packed_parts_are_one_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"a\n1\n") + gzip.compress(b"2\n3"))
    assert list(LineTable(tmp_path / "a.csv.gz", True).blocks(2)) == [["1\n", "2\n"], ["3"]]


def test_a_long_line_and_a_long_block_end_reading_where_text_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST", 100)
    monkeypatch.setattr(module, "LARGEST_BLOCK", 1000)
    long_line = b"name\n1\n" + b"x" * 101 + b"\n"
    long_block = b"name\n" + (b"x" * 90 + b"\n") * 30
    for content, message in (
        (long_line, "line 3 has more than 100 characters"),
        (long_block, "has more than 1000 characters in lines 2 to 12"),
    ):
        for path in (packed(tmp_path, content), piped(monkeypatch, content)):
            with pytest.raises(GraphKDError, match=message):
                list(LineTable(path, True).blocks(20))
        (tmp_path / "a.csv").write_bytes(content)
        assert sum(map(len, LineTable(tmp_path / "a.csv", True).blocks(20))) == content.count(b"\n") - 1
    assert sum(map(len, LineTable(packed(tmp_path, long_block), True).blocks(20, columns=10))) == 30


@pytest.mark.parametrize("part", some_of([b"x", b"\n", b"1\n"], 3))
def test_a_small_file_that_unpacks_to_a_huge_one_takes_little_memory(
    part: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one line, of empty lines, and of short ones."""
    monkeypatch.setattr(module, "LONGEST", 10**5)
    size = 3 * 10**5
    path = packed(tmp_path, b"a\n" + part * size + b"\nend\n")
    assert path.stat().st_size < size / 40
    refused = pytest.raises(GraphKDError, match="line 2 has more than 100000 characters")
    tracemalloc.start()
    with refused if part == b"x" else nullcontext():
        for _ in LineTable(path, True).blocks(2**10):
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10**6  # a list of empty lines would take 2.4 MB


def test_standard_input_that_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(GraphKDError, match="standard input is closed"):
        LineTable(StandardInput(), True)
