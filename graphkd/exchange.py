"""Atomic exchange of two paths, with Linux's ``renameat2``."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

HERE, EXCHANGE = -100, 2
"""``AT_FDCWD`` and ``RENAME_EXCHANGE`` of Linux."""

UNABLE = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)
"""Error numbers of a kernel or file system without support for it."""


def exchange(one: Path, other: Path) -> bool:
    """Exchanges two existing paths atomically: at no time is one of them missing.

    Returns:
        Whether they were exchanged; False where the system does not support it.

    Raises:
        OSError: the system supports it, but permission is denied or a path is missing.
    """
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    call.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    if call(HERE, os.fsencode(one), HERE, os.fsencode(other), EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in UNABLE:
        return False
    raise OSError(number, os.strerror(number), str(one), None, str(other))
