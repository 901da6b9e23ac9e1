"""The built-in multilayer perceptron."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from graphkd.dropout import relu_dropout
from graphkd.norm import check_sizes, has_biases, make_norm
from graphkd.sparse import Inputs, linear
from graphkd.students.output import StudentOutput


class SparseLinear(nn.Linear):
    """``torch.nn.Linear`` that takes sparse and factored rows as well."""

    def forward(self, x: Inputs) -> Tensor:
        """Computes ``[B, d_in]`` → ``[B, d_out]``."""
        return linear(x, self.weight, self.bias)


class MLP(nn.Module):
    """``drop(relu(norm(W h + b)))`` per hidden layer, then a linear map to the logits.

    There is no ``b`` before a batch norm, which would cancel it.

    Source: the student of Zhang et al., Graph-less Neural Networks, ICLR 2022

    Args:
        num_features: ``D'``.
        hidden_dim: width of the hidden layers.
        num_classes: ``C``.
        num_layers: linear layers, from 1.
        dropout: probability, after each activation.
        norm: ``none``, ``batch`` or ``layer``.
        hidden_dims: widths of the hidden layers, of a student that a method builds; ``hidden_dim`` and
            ``num_layers`` are not read then.

    Raises:
        GraphKDError: an invalid size.

    >>> import torch
    >>> student = MLP(num_features=8, hidden_dim=16, num_classes=3)
    >>> output = student(torch.zeros(5, 8))
    >>> output.logits.shape, [layer.shape for layer in output.hidden]
    (torch.Size([5, 3]), [torch.Size([5, 16])])
    """

    name = "mlp"
    hidden_dims: list[int] | None
    keeps_linear: bool = False
    """Whether the output has what goes into and comes out of each linear layer, for a loss that reads it."""

    def __init__(
        self,
        num_features: int,
        hidden_dim: int = 128,
        num_classes: int = 2,
        num_layers: int = 2,
        dropout: float = 0.5,
        norm: str = "none",
        hidden_dims: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        check_sizes(num_layers, hidden_dim, dropout)
        hidden = [hidden_dim] * (num_layers - 1) if hidden_dims is None else [*hidden_dims]
        for width in hidden:
            check_sizes(num_layers, width, dropout)
        widths = list(itertools.pairwise([num_features, *hidden, num_classes]))
        biases = has_biases(norm, len(widths))
        self.layers = nn.ModuleList(SparseLinear(*pair, bias) for pair, bias in zip(widths, biases, strict=True))
        self.norms = nn.ModuleList(make_norm(norm, width) for width in hidden)
        self.dropout, self.norm = dropout, norm
        self.hidden_dims = None if hidden_dims is None else hidden

    @property
    def extra_arguments(self) -> dict[str, Any]:
        """Arguments of a student that a method built, beyond those of the student's settings."""
        if self.hidden_dims is None:
            return {}
        return {"hidden_dims": self.hidden_dims, "num_layers": len(self.layers)}

    def forward(self, x: Inputs, added: Tensor | None = None) -> StudentOutput:
        """Computes ``x [B, D']``, dense, sparse or factored → logits ``[B, C]`` and hidden layers.

        Args:
            x: the rows.
            added: ``[B, h]``, to the first layer's sums where there is a hidden layer; nothing by default.
        """
        hidden: list[Tensor] = []
        linear: list[tuple[Tensor, Tensor]] = []
        h: Inputs = x
        for layer, norm in zip(self.layers, self.norms, strict=False):
            z = layer(h) if added is None or hidden else layer(h) + added
            mapped = z.clone() if self.keeps_linear else z  # ReLU is in place
            active, dropped = relu_dropout(norm(z), self.dropout, self.training)
            hidden.append(active)
            linear.append((mapped, dropped))
            h = dropped
        return StudentOutput(self.layers[-1](h), hidden, linear=linear if self.keeps_linear else [])
