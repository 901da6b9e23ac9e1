import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from graphkd import GraphKDError, folders
from graphkd.folders import replace_folder, restore, steadily, whole_folder

EXCHANGES = pytest.mark.parametrize("exchanges", [True, False])


@pytest.fixture(autouse=True)
def _system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "exchanges" in request.fixturenames and not request.getfixturevalue("exchanges"):
        monkeypatch.setattr(folders, "exchange", lambda *_: False)


def filled(folder: Path, text: str) -> Path:
    folder.mkdir()
    for name in "ab":
        (folder / name).write_text(text)
    return folder


def read(folder: Path) -> str:
    first, second = ((folder / name).read_text() for name in "ab")
    if first != second:
        raise GraphKDError("a mixture")
    return first


@EXCHANGES
def test_a_folder_takes_the_place_of_another(tmp_path: Path, exchanges: bool) -> None:
    replace_folder(filled(tmp_path / "one", "1"), tmp_path / "it")
    replace_folder(filled(tmp_path / "two", "2"), tmp_path / "it")
    assert read(tmp_path / "it") == "2"
    assert [entry.name for entry in tmp_path.iterdir()] == ["it"]
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OSError, match="ot a directory"):
        replace_folder(filled(tmp_path / "three", "3"), tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


@EXCHANGES
def test_what_a_link_leads_to_stays(tmp_path: Path, exchanges: bool) -> None:
    filled(tmp_path / "far", "1")
    (tmp_path / "it").symlink_to(tmp_path / "far")
    if exchanges:
        with whole_folder(tmp_path / "it") as draft:
            for name in "ab":
                (draft / name).write_text("2")
        assert read(tmp_path / "it") == "2"
    assert read(tmp_path / "far") == "1"


WRITER = """
import os, signal, sys
from pathlib import Path
from graphkd import folders
if sys.argv[2] == "old":
    folders.exchange = lambda *_: False
at, calls = int(sys.argv[3]), 0
def counted(name, change):
    def call(*args, **more):
        global calls
        calls += 1
        if calls == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return change(*args, **more)
    return call
for name in ("replace", "rename", "rmdir", "unlink", "chmod", "mkdir"):
    setattr(os, name, counted(name, getattr(os, name)))
if sys.argv[2] == "new":
    folders.exchange = counted("exchange", folders.exchange)
with folders.whole_folder(Path(sys.argv[1])) as draft:
    for name in "ab":
        (draft / name).write_text("2")
"""


@pytest.mark.parametrize("system", ["new", "old"])
def test_killed_before_any_step_the_old_or_the_new_folder_is_there(tmp_path: Path, system: str) -> None:
    seen = set()
    for at in range(1, 30):
        place = tmp_path / str(at)
        place.mkdir()
        filled(place / "it", "1")
        done = subprocess.run([sys.executable, "-c", WRITER, str(place / "it"), system, str(at)], check=False)
        seen.add(steadily(place / "it", lambda place=place: read(place / "it")))
        with whole_folder(place / "it") as draft:
            for name in "ab":
                (draft / name).write_text("3")
        assert read(place / "it") == "3"
        assert [entry.name for entry in place.iterdir()] == ["it"], "nothing is left of the killed one"
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
    assert at > 4
    assert seen == {"1", "2"}


def test_readers_during_replacements_find_the_old_or_the_new_one(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from graphkd.folders import whole_folder
for i in range(300):
    with whole_folder(Path(sys.argv[1])) as draft:
        for name in "ab":
            (draft / name).write_text(str(i))
"""
    place = filled(tmp_path / "it", "0")
    writer, found = subprocess.Popen([sys.executable, "-c", program, str(place)]), []
    while writer.poll() is None:
        found.append(int(steadily(place, lambda: read(place))))
    assert writer.returncode == 0
    assert len(set(found)) > 10
    assert found == sorted(found)


def test_the_newest_that_holds_something_is_put_back(tmp_path: Path) -> None:
    for name, text, when in ((".it.old.1", "1", 5), (".it.old.2", "2", 9), (".it.older", "3", 20)):
        os.utime(filled(tmp_path / name, text), (when, when))
    (tmp_path / ".it.old.3").mkdir()
    (tmp_path / ".it.old.4").write_text("a file")
    (tmp_path / ".it.old.5").symlink_to(tmp_path / ".it.older")
    restore(tmp_path / "it")
    assert read(tmp_path / "it") == "2"
    restore(tmp_path / "it")
    assert read(tmp_path / ".it.old.1") == "1"
    restore(tmp_path / "no" / "it")


def test_what_cannot_be_put_back_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path / ".it.old.abc", "1")

    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.rename", forbidden)
    with pytest.raises(GraphKDError, match=r"was being replaced .* \(Permission denied\): rename .*abc to it$"):
        restore(tmp_path / "it")


def test_a_folder_that_stays_is_read_once(tmp_path: Path) -> None:
    calls = []

    def refuse() -> None:
        calls.append(1)
        raise GraphKDError("damaged")

    for place in (filled(tmp_path / "it", "1"), tmp_path / "none"):
        with pytest.raises(GraphKDError, match="damaged"):
            steadily(place, refuse)
    assert len(calls) == 2


def test_a_folder_that_never_stays_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "PATIENCE", 0.05)
    place = filled(tmp_path / "it", "0")

    def replaced() -> str:
        with whole_folder(place) as draft:
            (draft / "a").write_text("x")
        return "mixed"

    with pytest.raises(GraphKDError, match="is replaced again and again"):
        steadily(place, replaced)
