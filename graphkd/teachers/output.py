"""The output of a teacher, frozen; after this the graph network is no longer needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from torch import Tensor, nn

from graphkd.atomic_io import sha256_of

if TYPE_CHECKING:
    from graphkd.datasets import Graph


@dataclass(frozen=True)
class TeacherOutput:
    """The frozen output of a teacher.

    Args:
        logits: ``[N, C]``.
        hops: the embedding after each hop, ``num_layers`` tensors ``[N, d_k]``; ``hops[k - 1]`` belongs
            to hop ``k`` and ``hops[-1]`` is ``logits``. Empty where only logits are known.
        extras: ``[N, …]`` each, by name: whatever else a teacher computes for every node.
        constants: by name: tensors that are not per node, such as a codebook.
        model: the network itself, in evaluation mode; None where only its output is known.
        of: computes the frozen output on another graph, such as one with noise on its features.

    >>> import torch
    >>> given = TeacherOutput(torch.tensor([[2.0, 0.0], [0.0, 2.0]]))
    >>> given.logits.argmax(dim=1), given.hops
    (tensor([0, 1]), [])
    >>> given.checksum() == TeacherOutput(given.logits.clone()).checksum()
    True
    """

    logits: Tensor
    hops: list[Tensor] = field(default_factory=list)
    extras: Mapping[str, Tensor] = field(default_factory=dict)
    constants: Mapping[str, Tensor] = field(default_factory=dict)
    model: nn.Module | None = field(default=None, compare=False)
    of: Callable[[Graph], TeacherOutput] | None = field(default=None, compare=False)

    def checksum(self) -> str:
        """Returns a checksum of all tensors, by which two outputs can be compared."""
        named = [*self.extras.items(), *self.constants.items()]
        parts = [("", self.logits), *(("", hop) for hop in self.hops), *sorted(named, key=lambda pair: pair[0])]
        contents = [(name, part.detach().cpu().contiguous().numpy()) for name, part in parts]
        return sha256_of(
            each for name, part in contents for each in (f"{name}{part.dtype}{part.shape}".encode(), part)
        )

    def detach(self) -> TeacherOutput:
        """Returns the same values without a gradient."""
        extras = {name: table.detach() for name, table in self.extras.items()}
        constants = {name: table.detach() for name, table in self.constants.items()}
        hops = [hop.detach() for hop in self.hops]
        return replace(self, logits=self.logits.detach(), hops=hops, extras=extras, constants=constants)
