"""What a teacher hands to the later stages; after this the graph network is no longer needed."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from graphkd.atomic_io import sha256_of


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

    def checksum(self) -> str:
        """A checksum of all tensors: whether two outputs are the same."""
        parts = [self.logits, *self.hops]
        contents = [part.detach().cpu().contiguous().numpy() for part in parts]
        return sha256_of(each for part in contents for each in (f"{part.dtype}{part.shape}".encode(), part))

    def detach(self) -> TeacherOutput:
        """The same values without a gradient."""
        return TeacherOutput(self.logits.detach(), [hop.detach() for hop in self.hops])
