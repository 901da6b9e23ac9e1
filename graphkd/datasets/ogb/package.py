"""The ``ogb`` package, imported without a word to the network."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def no_version_check() -> Iterator[None]:
    """Hides the package ``outdated`` for a moment.

    On its first import ``ogb`` starts a thread that asks the network for its newest version, wherever ``outdated``
    is installed; no setting prevents that. Where it is not there, ``ogb`` goes on without it.
    """
    name = "outdated"
    hidden = {name: sys.modules[name]} if name in sys.modules else {}
    sys.modules[name] = None  # type: ignore[assignment]  # what makes an import fail
    try:
        yield
    finally:
        del sys.modules[name]
        sys.modules.update(hidden)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps back what OGB's readers print, a progress bar for a single graph included."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
