"""Several MLPs of one shape as one network: the products of all members are one batched product."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from graphkd.dropout import stacked_relu_dropout
from graphkd.sparse import Inputs, linear
from graphkd.students.mlp import MLP
from graphkd.students.output import StudentOutput
from graphkd.students.stacked_linear import Joined, StackedLinear


class StackedMLP:
    """``S`` MLPs as one batched model; each output is the one that the member has alone, up to the order of sums.

    The parameters remain those of the members, and train as such; they move into one table ``[S, …]`` per layer,
    which batched products read without a copy. Normalisation is applied member by member; dropout masks are drawn
    from each member's generator.

    Args:
        members: of the same widths and depth; the dropout rate may differ.
        generators: of the members' dropout.
    """

    def __init__(self, members: Sequence[MLP], generators: Sequence[torch.Generator]) -> None:
        self.members, self.generators = members, generators
        self.tables = [
            (_moved(weights), _moved(biases) if biases else None) for weights, biases in self._parameters()
        ]

    def __call__(self, inputs: Sequence[Inputs] | Tensor) -> StudentOutput:
        """Computes ``logits [S, B, C]`` and hidden layers ``[S, B, h]``.

        Args:
            inputs: of each member, ``[B, D']``, or all as ``[S, B, D']``; where all are the same object, its rows
                are read once for all.
        """
        hidden: list[Tensor] = []
        h = self._first(inputs)
        for k in range(1, len(self.tables)):
            norms = [member.norms[k - 1] for member in self.members]
            if not isinstance(norms[0], nn.Identity):
                h = torch.stack([norm(each) for norm, each in zip(norms, h, strict=True)])
            active, dropped = stacked_relu_dropout(h, self._rates(), self.generators)
            hidden.append(active)
            h = self._linear(k, dropped)
        return StudentOutput(h, hidden)

    def state(self, prefix: str = "") -> dict[str, Tensor]:
        """Returns the tables of all members, ``[S, …]``, by the names of their rows in a member's state."""
        return {
            f"{prefix}layers.{k}.{name}": table
            for k, tables in enumerate(self.tables)
            for name, table in zip(("weight", "bias"), tables, strict=True)
            if table is not None
        }

    def _first(self, inputs: Sequence[Inputs] | Tensor) -> Tensor:
        """Computes the first layer ``[S, B, h]``, before its activation."""
        if isinstance(inputs, Tensor):
            return self._linear(0, inputs)
        first, table = inputs[0], self.tables[0][0]
        if any(x is not first for x in inputs):
            weight, bias = self._joined()
            biases = [None] * len(weight) if bias is None else bias
            return torch.stack([linear(*each) for each in zip(inputs, weight, biases, strict=True)])
        if isinstance(first, Tensor) and first.is_cuda:  # where a copy of [B, S h] costs more than S products
            return self._linear(0, first.expand(len(table), *first.shape))
        weight, bias = self._joined()
        flat = None if bias is None else bias.flatten()
        out = linear(first, weight.flatten(0, 1), flat).view(-1, *weight.shape[:2])
        # Not contiguous(), which returns a view where only one member remains: the next operations are in place.
        return out.transpose(0, 1).clone(memory_format=torch.contiguous_format)

    def _linear(self, k: int, h: Tensor) -> Tensor:
        weights, biases = self._parameters()[k]
        return StackedLinear.apply(h, *self.tables[k], *weights, *biases)  # type: ignore[no-untyped-call, no-any-return]

    def _joined(self) -> tuple[Tensor, Tensor | None]:
        """Returns weights ``[S, h, d]`` and biases ``[S, h]`` of the first layer; gradients go to the members'."""
        (weight, bias), (weights, biases) = self.tables[0], self._parameters()[0]
        return _join(weight, weights), None if bias is None else _join(bias, biases)

    def _rates(self) -> list[float]:
        return [member.dropout if member.training else 0.0 for member in self.members]

    def _parameters(self) -> list[tuple[list[nn.Parameter], list[nn.Parameter]]]:
        layers = zip(*(member.layers for member in self.members), strict=True)
        return [
            ([each.weight for each in same], [each.bias for each in same if each.bias is not None])
            for same in layers
        ]


def apart(output: StudentOutput) -> list[StudentOutput]:
    """Splits the output by member, ``[B, C]`` and ``[B, h]`` each."""
    # Unbound, not indexed: the gradient is then assembled once, instead of once per member.
    members = zip(output.logits.unbind(), *(layer.unbind() for layer in output.hidden), strict=True)
    return [StudentOutput(logits, list(layers)) for logits, *layers in members]


def _join(table: Tensor, parts: list[nn.Parameter]) -> Tensor:
    return Joined.apply(table, *parts)  # type: ignore[no-any-return, no-untyped-call]


def _moved(parts: list[nn.Parameter]) -> Tensor:
    """Moves the parameters into one table ``[S, …]``, which it returns."""
    table = torch.stack([part.detach() for part in parts])
    for part, row in zip(parts, table, strict=True):
        part.data = row
    return table
