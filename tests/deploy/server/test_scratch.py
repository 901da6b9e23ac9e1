import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from graphkd.deploy.server.scratch import LOCK, PREFIX, remove_left, scratch
from tests.deploy.server.serving import as_command, wait_for
from tests.deploy.server.test_processes import workers_of

HOLDS = """
import sys, time
from graphkd.deploy.server.scratch import scratch
with scratch() as folder:
    (folder / "bundle").mkdir()
    (folder / "bundle" / "x").write_text("x")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_it_is_there_while_it_is_needed(place: Path) -> None:
    with scratch() as first, scratch() as second:
        assert {first, second} == set(place.iterdir())
        assert first.stat().st_mode & 0o777 == 0o700
    assert list(place.iterdir()) == []


def test_folders_of_killed_processes_go(place: Path) -> None:
    asked = [sys.executable, "-c", HOLDS]
    processes = [subprocess.Popen(asked, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    try:
        folders = [Path(each.stdout.readline().strip()) for each in processes if each.stdout]
        remove_left()
        assert set(place.iterdir()) == set(folders)  # all of them live
        for each in processes[:2]:
            each.kill()
            each.wait()
        remove_left()
        assert set(place.iterdir()) == {folders[2]}
    finally:
        for each in processes:
            each.kill()
            each.communicate()
    with scratch() as own:
        assert set(place.iterdir()) == {own}


def test_what_is_no_such_folder_stays(place: Path) -> None:
    """Nor is anything removed through a link."""
    precious = place / "precious"
    precious.mkdir()
    (precious / LOCK).write_text("x")
    (place / f"{PREFIX}link").symlink_to(precious)
    (place / f"{PREFIX}file").write_text("x")
    (place / f"{PREFIX}without-a-lock").mkdir()
    linked = place / f"{PREFIX}lock-is-a-link"
    linked.mkdir()
    (linked / LOCK).symlink_to(precious / LOCK)
    (place / "other").mkdir()
    before = sorted(place.rglob("*"))
    remove_left()
    assert sorted(place.rglob("*")) == before


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads Linux's /proc")
@pytest.mark.parametrize("all_of_them", [False, True])
def test_a_killed_server_leaves_nothing_for_long(raw_bundle: Path, place: Path, all_of_them: bool) -> None:
    with as_command(raw_bundle, "--workers", "2") as (process, _):
        wait_for(lambda: len(workers_of(process)) == 2)
        time.sleep(1.5)
        (folder,) = place.glob(f"{PREFIX}*")
        workers = workers_of(process)
        process.kill()
        for pid in workers if all_of_them else ():
            os.kill(pid, signal.SIGKILL)
        process.wait(10)
        if not all_of_them:
            wait_for(lambda: not folder.exists(), seconds=10)
    with as_command(raw_bundle, "--workers", "2"):
        assert not folder.exists()
    assert list(place.glob(f"*{PREFIX}*")) == []
