"""Tasks that die."""

from __future__ import annotations

import os
import signal
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from graphkd import GraphKDError


def squared(number: int) -> int:
    if number < 0:
        raise GraphKDError(f"{number} is below 0: give another")
    return number * number


def killed_once(marks: str, function: Callable[[Any], Any], item: Any) -> Any:
    """Each item's first process ends before, the second after the function's work, and the third returns."""
    mark = Path(marks) / str(zlib.crc32(repr(item).encode()))
    turn = len(mark.read_text()) if mark.exists() else 0
    mark.write_text("x" * (turn + 1))
    if turn == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    found = function(item)
    if turn == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return found


def always_killed(item: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def slow(marks: str, item: int) -> int:
    """Takes a second; notes that it has begun."""
    (Path(marks) / f"{item}").touch()
    time.sleep(1)
    return item
