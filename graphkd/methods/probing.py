"""Probing: the last layer of an MLP is trained apart from the ones before it, which are its encoder."""

from __future__ import annotations

from torch import nn

from graphkd.errors import GraphKDError
from graphkd.students.mlp import MLP


def probe_of(student: nn.Module, method: str) -> nn.Linear:
    """Returns the last layer of a student.

    Raises:
        GraphKDError: it is no MLP, or has no hidden layer.
    """
    last = student.layers[-1] if isinstance(student, MLP) and len(student.layers) > 1 else None
    if not isinstance(last, nn.Linear):
        raise GraphKDError(f"method={method} trains the hidden layers of an MLP: use student.num_layers=2 or more")
    return last


def encoder_parameters(student: nn.Module, method: str) -> list[nn.Parameter]:
    """Returns the parameters of a student without those of its last layer."""
    last = {id(parameter) for parameter in probe_of(student, method).parameters()}
    return [parameter for parameter in student.parameters() if id(parameter) not in last]
