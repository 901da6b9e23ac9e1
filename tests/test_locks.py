import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from graphkd.locks import Lock, is_locked


def in_a_child(what: Callable[[], bool]) -> bool:
    """What a forked process finds."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if what() else 1)
        except BaseException:
            os._exit(2)
    return os.waitpid(child, 0)[1] == 0


def taken(path: Path) -> bool:
    try:
        Lock(path).close()
    except BlockingIOError:
        return True
    return False


def test_one_process_holds_it_and_no_child_of_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = Lock(path)
    assert lock.held
    assert is_locked(path)
    assert taken(path)
    assert in_a_child(lambda: not lock.held and taken(path) and is_locked(path))
    assert in_a_child(lambda: lock.close() is None and is_locked(path))
    assert lock.held
    assert is_locked(path)
    lock.close()
    lock.close()
    assert not lock.held
    assert not is_locked(path)
    with pytest.raises(FileNotFoundError):
        is_locked(tmp_path / "none")


def test_a_child_that_lives_on_keeps_nothing_locked(tmp_path: Path) -> None:
    program = """
import os, signal, sys
from pathlib import Path
from graphkd.locks import Lock
lock = Lock(Path(sys.argv[1]))
child = os.fork()
if child == 0:
    sys.stdin.read()
    os._exit(0)
print(child, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    command = [sys.executable, "-c", program, str(tmp_path / "lock")]
    parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert int(parent.stdout.readline()) > 0
    parent.wait()
    for _ in range(1000):
        if not is_locked(tmp_path / "lock"):
            break
    assert not is_locked(tmp_path / "lock")
    parent.communicate("")
