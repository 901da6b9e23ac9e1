"""Settings of glibc's allocator: freed memory stays with the process while it trains."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Numbers of glibc's ``mallopt``."""

LARGEST = 2**25
"""Bytes of the largest table whose memory can be reused: glibc maps larger ones anew each time."""

KEPT, USUAL = 2**30, 2**26
"""Free bytes at the end of the heap that are not returned to the system: while a stage trains, and afterwards; the
latter is glibc's own value once a table of the largest size has been freed."""


@contextmanager
def keep_freed_memory() -> Iterator[None]:
    """Keeps the memory of freed tables in the process within the block.

    Applies where the C library is glibc and no ``MALLOC_…`` variable is in the environment. Every step allocates
    tables of the same sizes as the step before. Memory returned to the system comes back as fresh pages, which the
    system has to zero first: a quarter of a student's epoch (``experiments/gpu/step.py``).
    """
    set_already = any(name.startswith("MALLOC_") for name in os.environ)  # by the user
    library = ctypes.CDLL(None) if sys.platform == "linux" and not set_already else None
    tune, trim = (getattr(library, name, None) for name in ("mallopt", "malloc_trim"))
    if tune is None or trim is None:
        yield
        return
    tune(MMAP_THRESHOLD, LARGEST)
    tune(TRIM_THRESHOLD, KEPT)
    try:
        yield
    finally:
        tune(TRIM_THRESHOLD, USUAL)
        trim(0)
