"""Linear maps of teachers, as their layers begin."""

from __future__ import annotations

from torch import nn


def xavier_linear(in_dim: int, out_dim: int, bias: bool = True) -> nn.Linear:
    """Returns a linear map with Glorot's uniform weights and a bias of 0.

    Source: Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS
    2010

    Args:
        in_dim: width of what it reads.
        out_dim: width of the result.
        bias: whether there is one.

    >>> float(xavier_linear(4, 3).bias.abs().sum())
    0.0
    """
    linear = nn.Linear(in_dim, out_dim, bias)
    nn.init.xavier_uniform_(linear.weight)
    if bias:
        nn.init.zeros_(linear.bias)
    return linear
