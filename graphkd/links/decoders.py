"""Decoders of links: embeddings of both ends of a pair → its score, a logit."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from graphkd.ranges import check_choice, check_counts

__all__ = ["AutoDecoder", "Bilinear", "Dot", "HadamardMLP"]


class Decoder(nn.Module):
    """The base class of decoders, which are symmetric: ``s(u, v) = s(v, u)``.

    Args:
        dim: ``d``, width of an embedding.

    Raises:
        GraphKDError: the width is no whole number from 1.

    >>> class Shifted(Decoder):
    ...     name = "shifted"
    ...
    ...     def forward(self, u, v):
    ...         return (u * v).sum(dim=-1) - 1
    >>> Shifted(2)(torch.ones(3, 2), torch.ones(3, 2))
    tensor([1., 1., 1.])
    """

    name: ClassVar[str]

    def __init__(self, dim: int) -> None:
        super().__init__()
        check_counts("decoder", 1, dim=dim)
        self.dim = dim

    def forward(self, u: Tensor, v: Tensor) -> Tensor:
        """Scores embeddings ``u [..., d]``, ``v [..., d]``, whose first dimensions broadcast → ``[...]``."""
        raise NotImplementedError

    def search(self, u: Tensor) -> tuple[Tensor, Tensor] | None:
        """Returns ``q [d]`` and ``b []`` with ``s(u, v) = ⟨q, v⟩ + b`` for every ``v``; None if there are none."""
        return None


class AutoDecoder:
    """``Dot`` for links, and nothing for nodes, whose answers are of single rows.

    Source: graphkd's own

    >>> AutoDecoder().name
    'auto'
    """

    name = "auto"
    dim = 64


class Dot(Decoder):
    """``s(u, v) = ⟨u, v⟩ + b``, with ``b`` learned.

    Without ``b`` two rows that share nothing would be as likely to be linked as not.

    Source: the link predictors of Hu et al., Open Graph Benchmark, NeurIPS 2020, with a bias

    Args:
        dim: ``d``.

    >>> Dot(2)(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]])).tolist()
    [11.0]
    """

    name = "dot"

    def __init__(self, dim: int = 64) -> None:
        super().__init__(dim)
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, u: Tensor, v: Tensor) -> Tensor:
        """Scores pairs."""
        return (u * v).sum(dim=-1) + self.bias

    def search(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Returns ``u`` and ``b``."""
        return u, self.bias


class Bilinear(Dot):
    """``s(u, v) = uᵀ (W + Wᵀ) v / 2 + b``; ``W`` starts as the identity, where the decoder is ``Dot``.

    Source: Yang et al., Embedding Entities and Relations for Learning and Inference in Knowledge Bases, ICLR 2015,
        with a full matrix that is made symmetric

    Args:
        dim: ``d``.

    >>> decoder = Bilinear(2)
    >>> decoder(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]])).tolist()
    [11.0]
    """

    name = "bilinear"

    def __init__(self, dim: int = 64) -> None:
        super().__init__(dim)
        self.weight = nn.Parameter(torch.eye(dim))

    def forward(self, u: Tensor, v: Tensor) -> Tensor:
        """Scores pairs."""
        return super().forward(self._turned(u), v)

    def search(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Returns ``(W + Wᵀ) u / 2`` and ``b``."""
        return self._turned(u), self.bias

    def _turned(self, u: Tensor) -> Tensor:
        return u @ ((self.weight + self.weight.t()) / 2)


class HadamardMLP(Decoder):
    """``s(u, v) = w₂ᵀ relu(W₁ (u ⊙ v) + b₁) + b₂``.

    Source: the link predictor of Hu et al., Open Graph Benchmark, NeurIPS 2020

    Args:
        dim: ``d``, and the width of the hidden layer.

    >>> decoder = HadamardMLP(4)
    >>> decoder(torch.ones(3, 4), torch.ones(3, 4)).shape
    torch.Size([3])
    """

    name = "hadamard"

    def __init__(self, dim: int = 64) -> None:
        super().__init__(dim)
        self.hidden, self.out = nn.Linear(dim, dim), nn.Linear(dim, 1)

    def forward(self, u: Tensor, v: Tensor) -> Tensor:
        """Scores pairs."""
        scores: Tensor = self.out(self.hidden(u * v).relu()).squeeze(-1)
        return scores


DECODERS: dict[str, type[Decoder]] = {decoder.name: decoder for decoder in (Dot, HadamardMLP, Bilinear)}
"""Decoders by name."""


def make_decoder(name: str, dim: int) -> Decoder:
    """Makes a decoder of embeddings ``[…, d]``.

    Raises:
        GraphKDError: there is no such decoder.

    >>> make_decoder("bilinear", 8).dim
    8
    """
    check_choice("links", tuple(DECODERS), decoder=name)
    return DECODERS[name](dim)
