"""Teachers of which tests ask the same, whatever settings each has."""

from __future__ import annotations

from typing import Any

from torch import nn

from graphkd.registry import parameters_of


def teacher_like(part: Any, num_features: int, hidden_dim: int, num_classes: int, **keys: Any) -> nn.Module:
    """A teacher with those of the settings that it has: SGC has no width, others no residual or norm."""
    known = parameters_of(part)
    settings = {key: value for key, value in {"hidden_dim": hidden_dim, **keys}.items() if key in known}
    network: nn.Module = part(num_features, num_classes=num_classes, **settings)
    return network


def width_of(part: Any, hidden_dim: int, num_classes: int) -> int:
    """Of a hidden hop."""
    return hidden_dim if "hidden_dim" in parameters_of(part) else num_classes
