import errno
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from graphkd import exchange as module
from graphkd.exchange import exchange


def places(folder: Path) -> tuple[Path, Path]:
    for name in "ab":
        (folder / name).mkdir()
        (folder / name / "x").write_text(name)
    return folder / "a", folder / "b"


def libc(monkeypatch: pytest.MonkeyPatch, **functions: Any) -> None:
    monkeypatch.setattr(module.ctypes, "CDLL", lambda *_, **__: SimpleNamespace(**functions))


def test_two_folders_change_places(tmp_path: Path) -> None:
    one, other = places(tmp_path)
    if exchange(one, other):
        assert ((one / "x").read_text(), (other / "x").read_text()) == ("b", "a")


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EINVAL, errno.ENOTSUP])
def test_a_system_that_cannot_says_so_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def unable(*_: object) -> int:
        module.ctypes.set_errno(number)
        return -1

    one, other = places(tmp_path)
    libc(monkeypatch)
    assert not exchange(one, other)
    libc(monkeypatch, renameat2=unable)
    assert not exchange(one, other)
    assert (one / "x").read_text() == "a"


def test_a_name_that_is_missing_is_an_error(tmp_path: Path) -> None:
    one, other = places(tmp_path)
    if not exchange(one, other):
        pytest.skip("this system cannot")
    with pytest.raises(FileNotFoundError, match="a"):
        exchange(one, tmp_path / "gone")
    assert (one / "x").read_text() == "b"
