"""Helpers shared by all plots; matplotlib is an optional dependency, imported only for drawing."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from graphkd.errors import GraphKDError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def check_plot() -> None:
    """Checks, before anything is computed or written, that matplotlib is installed."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        raise GraphKDError("a plot needs matplotlib: pip install 'graphkd[plot]'") from None


def drawable(files: Mapping[str, Callable[[], bytes]]) -> dict[str, bytes]:
    """Draws plots that stand beside other files; without matplotlib none, and a line that names them.

    Args:
        files: name of each → function that draws it.
    """
    try:
        check_plot()
    except GraphKDError as error:
        print(f"graphkd: no {' and '.join(files)}: {error}", file=sys.stderr)
        return {}
    return {name: draw() for name, draw in files.items()}


def literal(text: str) -> str:
    """Escapes dollar signs, which start matplotlib's math text."""
    return text.replace("$", r"\$")


def png(figure: Figure, dpi: float = 150) -> bytes:
    """Renders a figure as PNG; equal figures have equal bytes."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=dpi, metadata={"Software": None})
    return out.getvalue()
