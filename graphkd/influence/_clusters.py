"""A ball index of directions: one cosine with the centre excludes all members of a ball."""

from __future__ import annotations

import itertools
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.influence._pairs import Pairs, ranges, unit
from graphkd.influence._threads import for_each

MOST_CLUSTERS = 512
"""Maximal number of centres: more exclude more pairs but cost N cosines each; ``experiments/influence_scale``."""

SHELLS = (0.5, 0.8, 0.95, 0.99, 1.0)
"""Fractions of a cluster's members, nearest first, at which shells end: few distant members do not widen all."""

STEPS = 4
"""Iterations of Lloyd's algorithm, on a sample of SAMPLE rows per centre."""

SAMPLE = 32

BINS = 4096
"""Bins of the cost curve, over the angles from 0 to π."""


def pairs_to_place(rows: int) -> int:
    """Returns the number of cosines for computing the centres and assigning ``rows`` to them."""
    number = _number_for(rows)
    return number * (rows + STEPS * SAMPLE * number)


def _number_for(rows: int) -> int:
    return max(1, min(MOST_CLUSTERS, math.isqrt(rows)))


class Balls:
    """An index of the rows of y in balls around K centres, split into shells by the angle ``φ`` to the centre.

    The angle is a metric on the sphere, so by the triangle inequality every member j of a shell satisfies

        cos(x_i, y_j) >= cos(min(π, angle(x_i, c) + φ)),

    and a pair below ``s`` exists only if ``⟨x̂_i, c⟩ < cos(arccos s − φ)``: one bound per shell. The rounding
    error (``Pairs.error``) is always added conservatively. The centres are computed by spherical k-means (Dhillon
    and Modha, Machine Learning 2001) and affect the cost only. Zero rows belong to no ball.

    Args:
        pairs: the tables.
        workers: number of threads.
    """

    def __init__(self, pairs: Pairs, workers: int) -> None:
        self.pairs, self.workers = pairs, workers
        self.generator = torch.Generator().manual_seed(0)
        self.centres = self._centres()
        cosine, cluster = self._assigned()
        self._cut(cosine, cluster)

    def rows_at_once(self) -> int:
        """Returns the rows of x per product with the centres: their cosines use a quarter of the memory."""
        most = self.pairs.means.bytes // (4 * self.workers)
        share = math.ceil(self.pairs.x.shape[0] / (4 * self.workers))
        return max(1, min(32_768, share, most // (8 * sum(self.centres.shape))))

    def reach(self, least: float) -> Tensor:
        """Returns ``[shells]`` float32: a cosine with the centre from it on excludes pairs below ``least``."""
        margin = math.acos(max(-1.0, min(1.0, least))) - self.angle
        bound = torch.where(margin > 0, margin.clamp_min(0.0).cos() + 2.0 * self.pairs.error, 2.0)
        return bound.float()

    def sweep(self, low: float | None, high: float) -> bool:
        """Computes all pairs that the bounds of the balls do not exclude from being below ``high``.

        Args:
            low: the ``high`` of an earlier sweep, whose pairs are skipped, or ``None``.
            high: all pairs below it, or below the least cosine, are computed.

        Returns:
            Whether the sweep finished within the time limit.
        """
        done: list[bool] = []
        previous = None if low is None else self.reach(low)
        rows = ranges(0, self.pairs.x.shape[0], self.rows_at_once())
        for_each(lambda some: done.append(self._sweep(some, high, previous)), rows, self.workers)
        return all(done)

    def _sweep(self, rows: slice, high: float, known: Tensor | None) -> bool:
        cosines = self.centres @ unit(self.pairs.x, self.pairs.x_scale, rows).t()
        reach = self.reach(min(high, self.pairs.least))
        lowest = cosines.amin(dim=1)
        for shell in (lowest[self.cluster] < reach).nonzero().squeeze(1).tolist():
            cosine = cosines[self.cluster[shell]]
            open_ = cosine < reach[shell]
            if known is not None:
                open_ &= cosine >= known[shell]
            candidates = open_.nonzero().squeeze(1)
            if candidates.numel() and not self.pairs.search(candidates + rows.start, self.members[shell]):
                return False
        return True

    def cost(self) -> CostCurve:
        """Estimates the number of pairs that ``sweep`` computes, from a sample of rows."""
        x, size = self.pairs.x, 4 * MOST_CLUSTERS
        rows = torch.randint(x.shape[0], (min(size, x.shape[0]),), generator=self.generator).to(x.device)
        angle = (unit(x, self.pairs.x_scale, rows) @ self.centres.t()).clamp_(-1.0, 1.0).acos_()
        counts = torch.zeros(BINS, dtype=torch.float64, device=x.device)
        for shell, members in enumerate(self.members):
            total = angle[:, self.cluster[shell]] + self.angle[shell]
            bins = (total * (BINS / math.pi)).long().clamp_(max=BINS - 1)
            counts += float(members.numel()) * torch.bincount(bins, minlength=BINS)
        return CostCurve(counts.flip(0).cumsum(0).flip(0) * (x.shape[0] / max(1, rows.numel())))

    def _centres(self) -> Tensor:
        """Computes the centres, ``[K, D]`` float32 of length 1 or 0."""
        y = self.pairs.y
        number = _number_for(y.shape[0])
        index = torch.randperm(y.shape[0], generator=self.generator)[: SAMPLE * number].to(y.device)
        sample = unit(y, self.pairs.y_scale, index)
        centres = sample[:number].clone()
        for _ in range(STEPS):
            nearest = (sample @ centres.t()).argmax(dim=1)
            sums = torch.zeros_like(centres).index_add_(0, nearest, sample)
            centres = torch.where((sums != 0).any(dim=1, keepdim=True), F.normalize(sums), centres)
        return centres

    def _assigned(self) -> tuple[Tensor, Tensor]:
        """Computes the cosine of each row of y with its nearest centre, and the centre's index: two ``[M]``."""
        y = self.pairs.y
        cosine, cluster = y.new_empty(y.shape[0], dtype=torch.float32), y.new_empty(y.shape[0], dtype=torch.long)

        def assign(rows: slice) -> None:
            products = unit(y, self.pairs.y_scale, rows) @ self.centres.t()
            torch.max(products, dim=1, out=(cosine[rows], cluster[rows]))

        for_each(assign, ranges(0, y.shape[0], min(2048, self.rows_at_once())), self.workers)
        return cosine, cluster

    def _cut(self, cosine: Tensor, cluster: Tensor) -> None:
        """Sets the members, cluster and largest angle of each shell."""
        order = torch.argsort(cosine, descending=True)
        order = order[self.pairs.y_scale[order] > 0]
        order = order[torch.argsort(cluster[order], stable=True)]
        counts = torch.bincount(cluster[order], minlength=self.centres.shape[0]).tolist()
        members, owner, start = [], [], 0
        for index, count in enumerate(counts):
            ends = [0, *(math.ceil(share * count) for share in SHELLS)]
            for first, last in itertools.pairwise(ends):
                if first < last:
                    members.append(order[start + first : start + last])
                    owner.append(index)
            start += count
        self.members = members
        self.cluster = torch.tensor(owner, dtype=torch.long, device=order.device)
        farthest = torch.stack([cosine[part[-1]] for part in members]) if members else cosine[:0]
        self.angle = (farthest.double() - self.pairs.error).clamp(-1.0, 1.0).acos() + 1e-12


class CostCurve:
    """A cumulative count of pairs: ``pairs[b]`` have a bound of ``cos(π b / BINS)`` or below."""

    def __init__(self, pairs: Tensor) -> None:
        self.pairs = pairs

    def below(self, cosine: float) -> float:
        """Returns the number of pairs that may be below ``cosine``."""
        index = int(math.acos(max(-1.0, min(1.0, cosine))) * BINS / math.pi + 1e-6)
        return float(self.pairs[min(index, BINS - 1)])

    def affordable(self, pairs: float) -> float:
        """Returns the largest cosine below which there are at most ``pairs`` pairs."""
        index = int((self.pairs > pairs).sum())
        return math.cos(math.pi * min(index, BINS) / BINS)
