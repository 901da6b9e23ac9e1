"""What a teacher hands to the later stages; after this the graph network is no longer needed."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class TeacherOutput:
    """The frozen signal.

    Args:
        logits: ``[N, C]``.
        hops: the embedding after each hop, ``num_layers`` tensors ``[N, d_k]``; ``hops[k - 1]`` stands
            after hop ``k`` and ``hops[-1]`` is ``logits``. Empty where only logits are known.
    """

    logits: Tensor
    hops: list[Tensor] = field(default_factory=list)

    def detach(self) -> TeacherOutput:
        """The same values without a gradient."""
        return TeacherOutput(self.logits.detach(), [hop.detach() for hop in self.hops])
