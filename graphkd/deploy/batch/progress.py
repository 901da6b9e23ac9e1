"""The hidden folder beside an output, in which an interrupted job leaves what is finished."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from graphkd.errors import GraphKDError
from graphkd.locks import Lock

LOCK = "lock"
"""Name of the lock file in it."""


class InUseError(GraphKDError):
    """Another process is writing the output."""


def open_progress(output: Path, is_ours: Callable[[list[Path]], bool]) -> tuple[Path, Lock]:
    """Makes or finds the folder of progress of an output, and locks it.

    Args:
        output: of the job.
        is_ours: whether what is in an existing folder is what such a job leaves; nothing else is touched.

    Returns:
        The folder and its lock.

    Raises:
        InUseError: another process is writing the output.
        GraphKDError: the folder's name is in use for something else.
    """
    folder = output.with_name(f".{output.name}.progress")
    try:
        folder.mkdir()
    except FileExistsError:
        if folder.is_symlink() or not folder.is_dir() or not is_ours(list(folder.iterdir())):
            raise GraphKDError(
                f"{folder} is needed for the progress of this job, and holds something else: rename it, or choose "
                "another output"
            ) from None
    try:
        return folder, Lock(folder / LOCK)
    except BlockingIOError:
        raise InUseError(
            f"{output} is being written by another process: wait for it, or choose another output"
        ) from None
