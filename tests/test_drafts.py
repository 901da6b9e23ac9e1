import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from graphkd.drafts import draft_file, draft_folder, sweep

KILLED = """
import os, signal, sys
from pathlib import Path
from graphkd.atomic_io import whole_file, whole_folder
with getattr(__import__("graphkd.atomic_io", fromlist=["x"]), sys.argv[1])(Path(sys.argv[2])) as draft:
    (draft / "x" if draft.is_dir() else draft).write_text("half")
    if sys.argv[3] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    print("open", flush=True)
    sys.stdin.read()
"""


def start(kind: str, path: Path, how: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", KILLED, kind, str(path), how]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("kind", ["whole_file", "whole_folder"])
def test_the_next_one_removes_the_draft_of_a_killed_process_but_not_of_one_that_lives(
    tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "it"
    assert start(kind, path, "die").wait() == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 1
    living = start(kind, path, "wait")
    assert living.stdout is not None
    assert living.stdout.readline() == "open\n"
    (draft,) = tmp_path.iterdir()
    sweep(path)
    assert list(tmp_path.iterdir()) == [draft]
    living.communicate("")
    assert [entry.name for entry in tmp_path.iterdir()] == ["it"]


OWN = (
    ".it.draft",
    ".it.mine",
    ".it.old.mine",
    ".it.20240101",
    ".it.UPPERCAS.draft",
    ".it.toolongname.draft",
    ".other.abcdefgh.draft",
    ".itt.abcdefgh.draft",
    "it.abcdefgh.draft",
    ".it.progress",
    ".it.abcdefgh.draft.bak",
)


@pytest.mark.parametrize("name", OWN)
def test_names_of_a_person_stay(tmp_path: Path, name: str) -> None:
    for folder in (False, True):
        place = tmp_path / str(folder) / name
        place.parent.mkdir()
        place.mkdir() if folder else place.write_text("mine")
        with (draft_folder if folder else draft_file)(place.with_name("it")):
            assert place.exists()
        assert [entry.name for entry in place.parent.iterdir()] == [name]


def test_what_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".it.abcdefgh.draft").mkdir()
    (tmp_path / ".it.abcdefgh.draft" / "x").write_text("1")
    (tmp_path / ".it.old.abcdefgh.draft").mkdir()
    (tmp_path / ".it.12345678.draft").write_text("1")
    (tmp_path / "kept").write_text("1")
    (tmp_path / ".it.abcd1234.draft").symlink_to(tmp_path / "kept")
    os.mkfifo(tmp_path / ".it.abcd_234.draft")
    begin = time.monotonic()
    sweep(tmp_path / "it")
    assert time.monotonic() - begin < 1
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".it.abcd1234.draft", "kept"]
