"""Metrics of predicted numbers, in the user's units."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from graphkd.errors import GraphKDError


class R2:
    """The coefficient of determination: the mean over targets of ``1 − Σ_v (y_v − z_v)² / Σ_v (y_v − ȳ)²``.

    1 is perfect, 0 what the mean of these rows would score; worse predictions are below 0.

    Args:
        y: ``[B, T]``.

    Raises:
        GraphKDError: a target has the same value in every row.

    >>> import torch
    >>> float(R2(torch.tensor([[0.0], [2.0]]))(torch.tensor([[0.0], [1.0]])))
    0.5
    """

    def __init__(self, y: Tensor) -> None:
        self.y = y.double()
        self.total = (self.y - self.y.mean(dim=0)).square().sum(dim=0)
        if not bool((self.total > 0).all()):
            raise GraphKDError(
                "r2 needs targets that differ between the nodes to score, but one is the same in all of them: use "
                "another split, or metric mae"
            )

    def __call__(self, outputs: Tensor) -> Tensor:
        """Computes a float64 scalar on the device of ``outputs [B, T]``."""
        return (1 - (self.y - outputs.double()).square().sum(dim=0) / self.total).mean()


class MeanAbsoluteError:
    """``mean_{v, t} |y_vt − z_vt|``.

    Args:
        y: ``[B, T]``.

    >>> import torch
    >>> float(MeanAbsoluteError(torch.tensor([[0.0], [2.0]]))(torch.tensor([[0.0], [1.0]])))
    0.5
    """

    def __init__(self, y: Tensor) -> None:
        self.y = y.double()

    def __call__(self, outputs: Tensor) -> Tensor:
        """Computes a float64 scalar on the device of ``outputs [B, T]``."""
        return (self.y - outputs.double()).abs().mean()


class RootMeanSquaredError:
    """``sqrt(mean_{v, t} (y_vt − z_vt)²)``.

    Args:
        y: ``[B, T]``.

    >>> import torch
    >>> float(RootMeanSquaredError(torch.tensor([[0.0], [2.0]]))(torch.tensor([[0.0], [1.0]]))) ** 2
    0.5000000000000001
    """

    def __init__(self, y: Tensor) -> None:
        self.y = y.double()

    def __call__(self, outputs: Tensor) -> Tensor:
        """Computes a float64 scalar on the device of ``outputs [B, T]``."""
        return (self.y - outputs.double()).square().mean().sqrt()


REGRESSION: dict[str, Callable[[Tensor], Callable[[Tensor], Tensor]]] = {
    "r2": R2,
    "mae": MeanAbsoluteError,
    "rmse": RootMeanSquaredError,
}
"""Metrics for fixed targets ``[B, T]`` by name."""

ERRORS = ("mae", "rmse")
"""Those of which lower is better."""
