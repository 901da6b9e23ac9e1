import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from graphkd.deploy.store import disk


@pytest.fixture
def handle(tmp_path: Path) -> Iterator[int]:
    opened = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    yield opened
    os.close(opened)


def test_all_is_written_where_a_call_takes_a_part(
    handle: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.pwrite
    monkeypatch.setattr(disk.os, "pwrite", lambda to, content, offset: whole(to, bytes(content[:3]), offset))
    disk.write(handle, b"0123456789", 2)
    assert (tmp_path / "file").read_bytes() == b"\0\x000123456789"


def test_room_is_zeros_and_never_less(handle: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk.write(handle, b"ab", 0)
    disk.allocate(handle, 4)
    disk.allocate(handle, 3)
    assert (tmp_path / "file").read_bytes() == b"ab\0\0"
    monkeypatch.delattr(disk.os, "posix_fallocate", raising=False)
    disk.allocate(handle, 5)
    assert (tmp_path / "file").stat().st_size == 5
    disk.truncate(handle, 1)
    assert (tmp_path / "file").read_bytes() == b"a"


def test_a_file_is_the_old_or_the_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "manifest.json"
    disk.publish(path, b"old")
    with monkeypatch.context() as patch:
        patch.setattr(disk, "replace", lambda new, path: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            disk.publish(path, b"new")
    assert path.read_bytes() == b"old"
    disk.publish(path, b"new")
    assert [file.name for file in tmp_path.iterdir()] == ["manifest.json"]
    disk.remove(path)
    disk.remove(path)
    assert not path.exists()


def test_one_holds_the_lock(tmp_path: Path) -> None:
    held = disk.lock(tmp_path / "lock")
    with pytest.raises(disk.BusyError, match="is being written by another process"):
        disk.lock(tmp_path / "lock")
    held.close()
    disk.lock(tmp_path / "lock").close()
