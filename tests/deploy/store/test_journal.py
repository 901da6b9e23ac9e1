import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from graphkd import GraphKDError
from graphkd.deploy.store import disk
from graphkd.deploy.store.journal import OLD_MAGIC, OLD_RECORD, RECORD, Journal, Patch


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk.os, "fsync", lambda handle: None)


def patch(file: str, seed: int, pieces: int = 3, size: int = 4) -> Patch:
    rng = np.random.default_rng(seed)
    content = rng.integers(0, 256, (pieces, size), dtype=np.uint8)
    return Patch(file, np.sort(rng.choice(99, pieces, replace=False)).astype(np.int64) * size, content)


RECORDS = [[patch("hops", 0), patch("in.entries", 1, 1, 32)], [patch("header", 2, 1, 8)], [patch("nodes", 3)]]


def written(path: Path) -> tuple[bytes, list[int]]:
    """The file's bytes, and where each record ends."""
    journal, ends = Journal(path), []
    for number, record in enumerate(RECORDS, 1):
        journal.append(record, 5, 8 * number)
        ends.append(journal.size)
    journal.close()
    return path.read_bytes(), ends


def read(path: Path, layout: int = 5) -> tuple[int, int]:
    """How many records are whole, these being those that were written, and where the last of them ends."""
    journal = Journal(path)
    try:
        found, end = journal.read(layout)
    finally:
        journal.close()
    for number, (record, expected) in enumerate(zip(found, RECORDS, strict=False), 1):
        assert record.sequence in (8 * number, None)
        for one, other in zip(record.patches(), expected, strict=True):
            assert one.file == other.file
            np.testing.assert_array_equal(one.offsets, other.offsets)
            np.testing.assert_array_equal(one.content, other.content)
    return len(found), end


def old(content: bytes) -> bytes:
    """The same records as older versions wrote them."""
    found, at = b"", 0
    while at < len(content):
        _, _, count, size, layout, _ = RECORD.unpack_from(content, at)
        body = content[at + RECORD.size : at + RECORD.size + size]
        rest = OLD_RECORD.pack(OLD_MAGIC, 0, count, size, layout)[12:]
        found += OLD_MAGIC + struct.pack("<I", zlib.crc32(rest + body)) + rest + body
        at += RECORD.size + size
    return found


@pytest.mark.parametrize("form", ["new", "old"])
def test_what_is_torn_is_forgotten_and_what_is_damaged_refused(tmp_path: Path, form: str) -> None:
    """Cut off or changed at every byte."""
    content, ends = written(tmp_path / "whole")
    if form == "old":
        content = old(content)
        (tmp_path / "whole").write_bytes(content)
        ends = [end - 8 * number for number, end in enumerate(ends, 1)]
    assert read(tmp_path / "whole") == (3, ends[-1])
    for at in range(len(content)):
        whole = sum(end <= at for end in ends)
        expected = whole, ([0, *ends])[whole]
        (tmp_path / "cut").write_bytes(content[:at])
        assert read(tmp_path / "cut") == expected
        (tmp_path / "changed").write_bytes(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])
        if whole == 2:
            assert read(tmp_path / "changed") == expected
        else:
            with pytest.raises(GraphKDError, match=f"is damaged at byte {expected[1]}, with later updates behind"):
                read(tmp_path / "changed")


def test_records_that_do_not_belong_here_are_refused(tmp_path: Path) -> None:
    content, ends = written(tmp_path / "j")
    with pytest.raises(GraphKDError, match="is damaged at byte 0"):
        read(tmp_path / "j", layout=6)
    first, second, third = (content[a:b] for a, b in zip([0, *ends], ends, strict=False))
    for wrong in (first + third, second + first, first + first, first + b"x" + second, b"\0" * 99 + first):
        (tmp_path / "j").write_bytes(wrong)
        with pytest.raises(GraphKDError, match="is damaged at byte"):
            read(tmp_path / "j")


def test_what_was_cut_is_written_over(tmp_path: Path) -> None:
    _, ends = written(tmp_path / "j")
    journal = Journal(tmp_path / "j")
    journal.cut(ends[0])
    journal.append(RECORDS[1], 5, 16)
    journal.close()
    assert read(tmp_path / "j") == (2, ends[1])
    assert (tmp_path / "j").stat().st_size == ends[1]


def test_pieces_that_follow_one_another_are_written_at_once() -> None:
    content = np.arange(10, dtype=np.uint8).reshape(5, 2)
    found = Patch("hops", np.array([0, 2, 4, 10, 12]), content).runs()
    assert [(offset, bytes(part)) for offset, part in found] == [
        (0, bytes([0, 1, 2, 3, 4, 5])),
        (10, bytes([6, 7, 8, 9])),
    ]
    assert Patch("hops", np.zeros(0, np.int64), content[:0]).runs() == []
