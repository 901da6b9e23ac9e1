"""The scale of a synthetic data set."""

from __future__ import annotations

from graphkd.checks import is_real
from graphkd.datasets.source import Source
from graphkd.errors import GraphKDError


def check_scale(scale: float, source: Source) -> None:
    """Checks that a scale is in (0, 1], and 1 for a data set of fixed size."""
    if not (is_real(scale) and 0 < scale <= 1):
        raise GraphKDError(f"dataset.scale is {scale!r}: it must be a number greater than 0 and at most 1")
    if scale != 1 and not source.scaled:
        raise GraphKDError(
            f"dataset.scale is {scale:g}, but {source.name} has the size that it has: leave it out, or choose "
            "synthetic-arxiv, synthetic-products or synthetic-papers100M"
        )


def scaled_name(name: str, scale: float) -> str:
    """Returns the name in records, such as ``synthetic-arxiv-0.1``; at scale 1 the name alone."""
    return name if scale == 1 else f"{name}-{scale:g}"
