"""The built-in multilayer perceptron."""

from __future__ import annotations

from torch import Tensor, nn

from graphkd.dropout import relu_dropout
from graphkd.norm import check_sizes, has_biases, layer_widths, make_norm
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

    Raises:
        GraphKDError: an invalid size.
    """

    name = "mlp"

    def __init__(
        self,
        num_features: int,
        hidden_dim: int = 128,
        num_classes: int = 2,
        num_layers: int = 2,
        dropout: float = 0.5,
        norm: str = "none",
    ) -> None:
        super().__init__()
        check_sizes(num_layers, hidden_dim, dropout)
        widths = layer_widths(num_features, hidden_dim, num_classes, num_layers)
        biases = has_biases(norm, num_layers)
        self.layers = nn.ModuleList(SparseLinear(*pair, bias) for pair, bias in zip(widths, biases, strict=True))
        self.norms = nn.ModuleList(make_norm(norm, hidden_dim) for _ in widths[:-1])
        self.dropout = dropout

    def forward(self, x: Inputs, added: Tensor | None = None) -> StudentOutput:
        """Computes ``x [B, D']``, dense, sparse or factored → logits ``[B, C]`` and hidden layers.

        Args:
            x: the rows.
            added: ``[B, h]``, to the first layer's sums where there is a hidden layer; nothing by default.
        """
        hidden: list[Tensor] = []
        h: Inputs = x
        for layer, norm in zip(self.layers, self.norms, strict=False):
            z = layer(h) if added is None or hidden else layer(h) + added
            active, h = relu_dropout(norm(z), self.dropout, self.training)
            hidden.append(active)
        return StudentOutput(self.layers[-1](h), hidden)
