"""Several MLPs of one shape as one network: the products of all members are one batched product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphkd.dropout import dropout
from graphkd.sparse import Inputs, linear
from graphkd.students.mlp import MLP
from graphkd.students.output import StudentOutput


class StackedMLP:
    """``S`` MLPs at once; each says what it would say alone, up to the order of sums.

    The parameters stay those of the members, and train as such; they move into one table ``[S, …]`` per layer,
    which batched products read without a copy. Normalisation and dropout go member by member: they are the
    members' own, and so are the masks, which come from each member's generator.

    Args:
        members: of the same widths and depth; the rate of dropout may differ.
        generators: of the members' dropout, on their device.
    """

    def __init__(self, members: Sequence[MLP], generators: Sequence[torch.Generator]) -> None:
        self.members, self.generators = members, generators
        self.tables = [(_moved(weights), _moved(biases)) for weights, biases in self._parameters()]

    def __call__(self, inputs: Sequence[Inputs] | Tensor) -> StudentOutput:
        """``logits [S, B, C]`` and hidden layers ``[S, B, h]``.

        Args:
            inputs: of each member, ``[B, D']``, or all as ``[S, B, D']``; where all are the same object its rows
                are read once for all.
        """
        hidden: list[Tensor] = []
        h = self._first(inputs)
        for k in range(1, len(self.tables)):
            norms = [member.norms[k - 1] for member in self.members]
            if not isinstance(norms[0], nn.Identity):
                h = torch.stack([norm(each) for norm, each in zip(norms, h, strict=True)])
            hidden.append(F.relu(h, inplace=True))
            h = self._linear(k, self._dropped(hidden[-1]))
        return StudentOutput(h, hidden)

    def state(self, prefix: str = "") -> dict[str, Tensor]:
        """The tables of all members, ``[S, …]``, by the names of their rows in a member's state."""
        return {
            f"{prefix}layers.{k}.{name}": table
            for k, tables in enumerate(self.tables)
            for name, table in zip(("weight", "bias"), tables, strict=True)
        }

    def _first(self, inputs: Sequence[Inputs] | Tensor) -> Tensor:
        """The first layer ``[S, B, h]``, before its activation."""
        if isinstance(inputs, Tensor):
            return self._linear(0, inputs)
        weight, bias = self._layer(0)
        if any(x is not inputs[0] for x in inputs):
            return torch.stack([linear(*each) for each in zip(inputs, weight, bias, strict=True)])
        out = linear(inputs[0], weight.flatten(0, 1)).view(-1, *bias.shape)
        return out.transpose(0, 1).contiguous().add_(bias.unsqueeze(1))

    def _linear(self, k: int, h: Tensor) -> Tensor:
        weight, bias = self._layer(k)
        return torch.baddbmm(bias.unsqueeze(1), h, weight.transpose(1, 2))

    def _layer(self, k: int) -> tuple[Tensor, Tensor]:
        """Weights ``[S, d_out, d_in]`` and biases ``[S, d_out]``, whose gradients are the members'."""
        weight, bias = (
            _Joined.apply(table, *parts)  # type: ignore[no-untyped-call]
            for table, parts in zip(self.tables[k], self._parameters()[k], strict=True)
        )
        return weight, bias

    def _dropped(self, h: Tensor) -> Tensor:
        rates = [member.dropout if member.training else 0.0 for member in self.members]
        if not any(rates):
            return h
        each = zip(h, rates, self.generators, strict=True)
        return torch.stack([dropout(own, rate, True, generator) for own, rate, generator in each])

    def _parameters(self) -> list[tuple[list[nn.Parameter], list[nn.Parameter]]]:
        layers = zip(*(member.layers for member in self.members), strict=True)
        return [([each.weight for each in same], [each.bias for each in same]) for same in layers]


def apart(output: StudentOutput) -> list[StudentOutput]:
    """What each member says, ``[B, C]`` and ``[B, h]``."""
    # Unbound, not indexed: the gradient is then put together once, instead of once per member.
    each = zip(output.logits.unbind(), *(layer.unbind() for layer in output.hidden), strict=True)
    return [StudentOutput(logits, list(layers)) for logits, *layers in each]


def _moved(parts: list[nn.Parameter]) -> Tensor:
    """A table ``[S, …]`` in which the parameters are from now on."""
    table = torch.stack([part.detach() for part in parts])
    for part, place in zip(parts, table, strict=True):
        part.data = place
    return table


class _Joined(torch.autograd.Function):
    """The table of some parameters that are its rows."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, *parts: Tensor) -> Tensor:
        return table.view_as(table)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        return None, *grads[0]
