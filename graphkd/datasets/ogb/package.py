"""Context managers for importing ``ogb`` without network access and calling it without output."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def no_version_check() -> Iterator[None]:
    """Hides the package ``outdated`` in the block.

    On its first import ``ogb`` starts a thread that requests its newest version from the network if ``outdated``
    is installed; no setting prevents that. Without ``outdated``, ``ogb`` skips the check.
    """
    name = "outdated"
    hidden = {name: sys.modules[name]} if name in sys.modules else {}
    sys.modules[name] = None  # type: ignore[assignment]  # makes its import fail
    try:
        yield
    finally:
        del sys.modules[name]
        sys.modules.update(hidden)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Suppresses the output of OGB's readers in the block, including a progress bar for a single graph."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
