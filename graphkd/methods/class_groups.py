"""Soft losses between groups of classes and within each, folded from the columns that a method folds."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from graphkd.methods.soft_targets import SoftTargets
from graphkd.sparse import SparseMatrix


@dataclass(frozen=True, eq=False)
class ClassGroups:
    """A partition of the classes.

    Args:
        members: the classes of each group ``G``, ``[n_G]`` int64.
        between: weight of the divergence between groups.
        within: weight of the divergence within each.
    """

    members: tuple[Tensor, ...]
    between: float
    within: float

    def logits(self, logits: Tensor, tau: float) -> Tensor:
        """Returns ``τ log Σ_{c ∈ G} exp(z_c / τ)``, whose softmax at ``τ`` is that of the groups: ``[…, K]``."""
        sums = [torch.logsumexp(logits.index_select(-1, each) / tau, dim=-1) for each in self.members]
        return tau * torch.stack(sums, dim=-1)

    def balanced(self, logits: Tensor, tau: float) -> Tensor:
        """Returns ``τ log (r_G q_G)``, ``[N, K]``: its softmax at ``τ`` is ``q̂_G``; ``1 / r_G ∝ Σ_v q_{G,v}``."""
        groups = self.logits(logits.double(), tau)
        mass = torch.softmax(groups / tau, dim=1).sum(dim=0).clamp_min(torch.finfo(torch.float64).tiny)
        return (groups - tau * (mass / mass.mean()).log()).to(logits.dtype)

    def blocks(self, logits: Tensor, tau: float) -> Iterator[tuple[float, Tensor]]:
        """Yields weight and logits of each divergence: within groups of several classes, then between groups."""
        for each in self.members:
            if each.numel() > 1:
                yield self.within, logits.index_select(-1, each)
        yield self.between, self.logits(logits, tau)

    def loss(self, soft: SoftTargets, logits: Tensor, scale: float) -> Tensor:
        """Returns the weighted sum of the divergences of some rows, see ``SoftTargets.loss``."""
        constant = soft.constant.to(logits.dtype) if isinstance(soft.constant, Tensor) else soft.constant
        total, start = constant + logits.new_zeros(logits.shape[:-2]), 0
        for weight, block in self.blocks(logits, soft.tau):
            table = soft.table.narrow(-1, start, block.shape[-1])
            part = replace(soft, table=table, constant=0.0, adjust=None, adjust_rows=None, weight=1.0, groups=None)
            total, start = total + weight * part.loss(block, scale), start + block.shape[-1]
        return total


def grouped(soft: SoftTargets, groups: ClassGroups) -> SoftTargets:
    """Returns soft targets between and within groups, which can be folded again as ``soft`` could.

    Args:
        soft: made by ``node_targets`` or ``edge_targets``, with its fold.
        groups: of the classes.
    """
    fold = soft.fold
    assert fold is not None
    again = replace(fold, make=functools.partial(_folded, groups, fold.make))
    return replace(again.make(again.logits, again.weights, again.tau, again.sender_weight), fold=again)


def _folded(
    groups: ClassGroups,
    make: Callable[[Tensor, SparseMatrix | None, float, Tensor | None], SoftTargets],
    logits: Tensor,
    weights: SparseMatrix | None,
    tau: float,
    sender_weight: Tensor | None,
) -> SoftTargets:
    """Folds every block of columns by itself: their tables, side by side, with the sum of their constants."""
    *inner, (between, _) = groups.blocks(logits, tau)
    blocks = [*inner, (between, groups.balanced(logits, tau))]
    parts = [(weight, make(block, weights, tau, sender_weight)) for weight, block in blocks]
    constants = [weight * torch.as_tensor(part.constant) for weight, part in parts]
    table = torch.cat([part.table for _, part in parts], dim=1)
    return replace(parts[0][1], table=table, constant=torch.stack(constants).sum(), groups=groups)
