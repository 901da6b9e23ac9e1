"""A trained network of standardised targets, which answers in the user's units."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from graphkd.teachers import TeacherOutput


class InUnits(nn.Module):
    """A network with ``m`` and ``s`` of the targets that it was trained on: its logits are ``s z + m``.

    The logits are float64, so that ``z`` is not rounded away where ``m`` is much larger than ``s``; hidden hops
    are the network's own. As a given teacher it is called like those of ``graphkd.teachers``, with preprocessed
    features.

    Args:
        network: with outputs ``z [N, T]``, called as ``(x, adj)``.
        offset: ``m [T]``.
        scale: ``s [T]``.

    >>> from graphkd.teachers import GCN
    >>> model = InUnits(GCN(num_features=4, num_classes=1), torch.tensor([5.0]), torch.tensor([2.0]))
    >>> model.name, sorted(dict(model.named_buffers()))
    ('gcn', ['offset', 'scale'])
    """

    offset: Tensor
    scale: Tensor

    def __init__(self, network: nn.Module, offset: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("offset", offset.double())
        self.register_buffer("scale", scale.double())

    @property
    def name(self) -> str:
        """Name of the network."""
        return str(getattr(self.network, "name", type(self.network).__name__))

    def forward(self, *inputs: Any, **settings: Any) -> TeacherOutput:
        """Computes the network's output in the user's units, ``logits [N, T]`` in float64."""
        return in_units(self.network(*inputs, **settings), self.offset, self.scale)

    def fits(self, offset: Tensor, scale: Tensor) -> bool:
        """Returns whether targets with this ``m`` and ``s`` are standardised as those of its training."""
        return torch.equal(self.offset, offset.to(self.offset)) and torch.equal(self.scale, scale.to(self.scale))


def in_units(output: TeacherOutput, offset: Tensor, scale: Tensor) -> TeacherOutput:
    """Returns an output with logits ``s z + m`` in float64, which are its last hop as well.

    Args:
        output: with standardised logits ``z [N, T]``.
        offset: ``m [T]``.
        scale: ``s [T]``.

    >>> from graphkd.teachers import TeacherOutput
    >>> output = TeacherOutput(torch.tensor([[0.5]]))
    >>> in_units(output, torch.tensor([5.0]), torch.tensor([2.0])).logits
    tensor([[6.]], dtype=torch.float64)
    """
    logits = output.logits.double() * scale.to(output.logits.device) + offset.to(output.logits.device)
    return with_logits(output, logits)


def with_logits(output: TeacherOutput, logits: Tensor) -> TeacherOutput:
    """Returns an output with other logits, which are its last hop as well, if it has hops."""
    hops = [*output.hops[:-1], logits] if output.hops else output.hops
    return replace(output, logits=logits, hops=hops)
