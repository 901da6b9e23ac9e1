"""What every picture needs; matplotlib is an extra, imported where something is drawn."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from graphkd.errors import GraphKDError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def check_plot() -> None:
    """Refuses, before anything is computed or written, to plot without matplotlib."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        raise GraphKDError("a plot needs matplotlib: pip install 'graphkd[plot]'") from None


def literal(text: str) -> str:
    """Without matplotlib's mathematics: a dollar sign in a name is one."""
    return text.replace("$", r"\$")


def png(figure: Figure, dpi: float = 150) -> bytes:
    """The picture; equal ones have equal bytes."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=dpi, metadata={"Software": None})
    return out.getvalue()
