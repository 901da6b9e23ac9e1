"""What teachers and students share: widths, normalisation, checks on sizes."""

from __future__ import annotations

import itertools

from torch import nn

from graphkd.errors import GraphKDError


def make_norm(kind: str, width: int) -> nn.Module:
    """``none``, ``batch`` or ``layer`` normalisation over ``width`` channels."""
    kinds = {"none": nn.Identity, "batch": nn.BatchNorm1d, "layer": nn.LayerNorm}
    if kind not in kinds:
        raise GraphKDError(f"norm is '{kind}': choose one of {', '.join(kinds)}")
    return nn.Identity() if kind == "none" else kinds[kind](width)


def check_sizes(num_layers: int, hidden_dim: int, dropout: float) -> None:
    """Refuses sizes that no network can have, with one line."""
    if num_layers < 1:
        raise GraphKDError(f"num_layers is {num_layers}: a network needs at least 1")
    if hidden_dim < 1:
        raise GraphKDError(f"hidden_dim is {hidden_dim}: a layer needs at least 1 unit")
    if not 0 <= dropout < 1:
        raise GraphKDError(f"dropout is {dropout}: it must lie in [0, 1)")


def layer_widths(num_features: int, hidden_dim: int, num_classes: int, num_layers: int) -> list[tuple[int, int]]:
    """``(d_in, d_out)`` of each of ``num_layers`` layers."""
    widths = [num_features, *[hidden_dim] * (num_layers - 1), num_classes]
    return list(itertools.pairwise(widths))
