"""Memory that stays with the process while it trains."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Numbers of glibc's ``mallopt``."""

LARGEST = 2**25
"""Bytes of the largest table that can be kept: glibc maps larger ones anew each time."""

KEPT, USUAL = 2**30, 2**26
"""Free bytes at the end of the heap that are not given back: while a stage trains, and afterwards, where it is
what glibc itself comes to once a table of the largest size has been freed."""


@contextmanager
def keep_freed_memory() -> Iterator[None]:
    """Within the block, freed tables are not given back to the system.

    That is where the C library is glibc, and no ``MALLOC_…`` in the environment says otherwise. Every step needs
    the tables of the step before, of the same sizes. Given back they come as fresh pages, which the system has to
    fill with zeros first: a quarter of a student's epoch (``experiments/gpu/step.py``).
    """
    set_already = any(name.startswith("MALLOC_") for name in os.environ)  # by somebody who knows why
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
