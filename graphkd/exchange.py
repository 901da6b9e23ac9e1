"""Two names that change places in one step of the file system."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

HERE, EXCHANGE = -100, 2
"""``AT_FDCWD`` and ``RENAME_EXCHANGE`` of Linux."""

UNABLE = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)
"""What a kernel or a file system says that cannot do it."""


def exchange(one: Path, other: Path) -> bool:
    """Lets two names that are there change places: nobody ever finds one of them missing.

    Returns:
        Whether it was done; not every system can.

    Raises:
        OSError: it could, but may not here, or a name is missing.
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
