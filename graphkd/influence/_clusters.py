"""Directions in balls: all members of a ball are ruled out by one cosine with its centre."""

from __future__ import annotations

import itertools
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.influence._pairs import Pairs, ranges, unit
from graphkd.influence._threads import for_each

MOST_CLUSTERS = 512
"""More centres leave fewer pairs over, but each of them meets all rows of x; ``experiments/influence_scale``."""

SHELLS = (0.5, 0.8, 0.95, 0.99, 1.0)
"""Shares of a cluster's members, nearest first, at which a shell ends: the few far ones stay among themselves."""

STEPS = 4
"""Of Lloyd's algorithm, on a sample of SAMPLE rows per centre."""

SAMPLE = 32

BINS = 4096
"""Of the cost curve, over the angles from 0 to π."""


def pairs_to_place(rows: int) -> int:
    """How many cosines it takes to place the centres and to assign so many rows to them."""
    number = _number_for(rows)
    return number * (rows + STEPS * SAMPLE * number)


def _number_for(rows: int) -> int:
    return max(1, min(MOST_CLUSTERS, math.isqrt(rows)))


class Balls:
    """The rows of y in balls around K centres, each cut into shells by the angle ``φ`` to the centre.

    The angle is a metric on the sphere, so by the triangle inequality every member j of a shell has

        cos(x_i, y_j) >= cos(min(π, angle(x_i, c) + φ)),

    and a pair below ``s`` can only be where ``⟨x̂_i, c⟩ < cos(arccos s − φ)``: one number per shell. Rounding
    (``Pairs.error``) is always added to the careful side. Spherical k-means (Dhillon and Modha, Machine
    Learning 2001) places the centres; where they are matters for the cost only. Zero rows belong to no ball.

    Args:
        pairs: the tables.
        workers: threads.
    """

    def __init__(self, pairs: Pairs, workers: int) -> None:
        self.pairs, self.workers = pairs, workers
        self.generator = torch.Generator().manual_seed(0)
        self.centres = self._centres()
        cosine, cluster = self._assigned()
        self._cut(cosine, cluster)

    def rows_at_once(self) -> int:
        """How many rows of x meet all centres at a time: their cosines take a quarter of the memory."""
        most = self.pairs.means.bytes // (4 * self.workers)
        share = math.ceil(self.pairs.x.shape[0] / (4 * self.workers))
        return max(1, min(32_768, share, most // (8 * sum(self.centres.shape))))

    def reach(self, least: float) -> Tensor:
        """``[shells]`` float32: a row not below it against the centre has no pair below ``least``."""
        margin = math.acos(max(-1.0, min(1.0, least))) - self.angle
        bound = torch.where(margin > 0, margin.clamp_min(0.0).cos() + 2.0 * self.pairs.error, 2.0)
        return bound.float()

    def sweep(self, low: float | None, high: float) -> bool:
        """Looks at all pairs that their ball does not bound by ``high``.

        Args:
            low: the ``high`` of an earlier sweep, whose pairs are left out, or nothing.
            high: every pair below it, or below the least one, will have been looked at.

        Returns:
            Whether it came to the end before the time did.
        """
        done: list[bool] = []
        known = None if low is None else self.reach(low)
        rows = ranges(0, self.pairs.x.shape[0], self.rows_at_once())
        for_each(lambda some: done.append(self._sweep(some, high, known)), rows, self.workers)
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
            found = open_.nonzero().squeeze(1)
            if found.numel() and not self.pairs.search(found + rows.start, self.members[shell]):
                return False
        return True

    def cost(self) -> CostCurve:
        """How many pairs ``sweep`` looks at, from a sample of rows."""
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
        """``[K, D]`` float32 of length 1, or 0."""
        y = self.pairs.y
        number = _number_for(y.shape[0])
        drawn = torch.randperm(y.shape[0], generator=self.generator)[: SAMPLE * number].to(y.device)
        sample = unit(y, self.pairs.y_scale, drawn)
        centres = sample[:number].clone()
        for _ in range(STEPS):
            nearest = (sample @ centres.t()).argmax(dim=1)
            moved = torch.zeros_like(centres).index_add_(0, nearest, sample)
            centres = torch.where((moved != 0).any(dim=1, keepdim=True), F.normalize(moved), centres)
        return centres

    def _assigned(self) -> tuple[Tensor, Tensor]:
        """The nearest centre of each row of y, and the cosine with it: two ``[M]``."""
        y = self.pairs.y
        cosine, cluster = y.new_empty(y.shape[0], dtype=torch.float32), y.new_empty(y.shape[0], dtype=torch.long)

        def assign(rows: slice) -> None:
            products = unit(y, self.pairs.y_scale, rows) @ self.centres.t()
            torch.max(products, dim=1, out=(cosine[rows], cluster[rows]))

        for_each(assign, ranges(0, y.shape[0], min(2048, self.rows_at_once())), self.workers)
        return cosine, cluster

    def _cut(self, cosine: Tensor, cluster: Tensor) -> None:
        """Members, cluster and largest angle of each shell."""
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
    """``pairs[b]``: how many pairs have a bound of ``cos(π b / BINS)`` or below."""

    def __init__(self, pairs: Tensor) -> None:
        self.pairs = pairs

    def below(self, cosine: float) -> float:
        """How many pairs may be below ``cosine``."""
        place = int(math.acos(max(-1.0, min(1.0, cosine))) * BINS / math.pi + 1e-6)
        return float(self.pairs[min(place, BINS - 1)])

    def affordable(self, pairs: float) -> float:
        """The largest cosine below which there are no more than ``pairs``."""
        place = int((self.pairs > pairs).sum())
        return math.cos(math.pi * min(place, BINS) / BINS)
