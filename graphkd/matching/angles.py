"""The angle between two teacher layers, measured at a student layer."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.matching.term import MatchingTerm

EPSILON = 1e-6
"""Added to ``‖u‖ ‖w‖``, as published."""

BLOCK = 4096
"""Nodes that are processed at once."""


@dataclass(frozen=True)
class LayerAngles:
    """``cos(v, i, j, k) = ⟨u, w⟩ / (‖u‖ ‖w‖ + 1e-6)`` with ``u = t_j(v) − s_ij(v)`` and ``w = t_k(v) − s_ik(v)``.

    ``t_j(v)`` is teacher layer ``j`` at node ``v`` and ``s_ij(v)`` student layer ``i`` projected to teacher layer
    ``j``, see ``MatchingTerm.project_for``; without projections it is the student layer itself, whatever ``j``.
    Then, below 90 degrees, a step towards one teacher layer is a step towards the other as well. With a projection
    ``P`` that holds in the teacher's space, while the student moves along ``Pᵀ u``, which agrees where ``P`` is
    orthonormal. Where student and teacher layer coincide, ``u = 0``, the cosine is 0; it is biased to 0 where the
    product of lengths is near 1e-6. Layers after ReLU lie in one orthant, which keeps angles measured from near
    the origin below 90 degrees, trained or not.

    Two teacher layers of different width have no angle, nor has a student layer to a teacher layer whose width it
    neither has nor is projected to: NaN. Angles depend on the student layer's length, which a distance that
    ignores lengths (normalized_mse, cosine) does not determine: compare them across distances with care.

    Source: Yu, Wen and Mou, Revisiting Intermediate-Layer Matching in Knowledge Distillation, 2025, whose released
    analysis keeps the pair of first and last layer only

    Args:
        cosines: ``[M, P, N]`` for ``M`` student layers, ``P`` pairs and ``N`` nodes.
        pairs: ``P`` pairs ``j < k`` of the teacher's hidden layers, 0-based.

    >>> student = torch.zeros(1, 2)
    >>> hops = [torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])]
    >>> angles = LayerAngles.of([student], hops)
    >>> angles.pairs, angles.degrees.round(decimals=3), angles.acute
    ([(0, 1)], tensor([[90.]]), tensor([[0.]]))
    """

    cosines: Tensor
    pairs: list[tuple[int, int]]

    @classmethod
    def of(cls, hidden: list[Tensor], hops: list[Tensor], term: MatchingTerm | None = None) -> LayerAngles:
        """Measures the angles in blocks of nodes: beyond the result, memory does not grow with ``N``.

        Args:
            hidden: ``M`` tensors ``[N, d_S]`` of the student.
            hops: the teacher's hidden ones, ``[N, d_j]``, same rows.
            term: holds the projections; None for no projection.

        Returns:
            ``[M, P, N]`` in the type and on the device of ``hops``.

        Raises:
            GraphKDError: no student layer, fewer than two teacher layers, or no angle between any.
        """
        _check_depths(len(hidden), len(hops))
        pairs = list(itertools.combinations(range(len(hops)), 2))
        cosines = hops[0].new_full((len(hidden), len(pairs), hops[0].shape[0]), torch.nan)
        with torch.no_grad():
            for start in range(0, cosines.shape[2], BLOCK):
                rows = slice(start, start + BLOCK)
                for i, layer in enumerate(hidden):
                    pulls = [_pull(layer[rows], i, hop[rows], j, term) for j, hop in enumerate(hops)]
                    for p, (j, k) in enumerate(pairs):
                        if (cosine := _cosine(pulls[j], pulls[k])) is not None:
                            cosines[i, p, rows] = cosine
        if bool(cosines.isnan().all()):
            raise GraphKDError(_nothing_seen(hidden, hops))
        return cls(cosines, pairs)

    @property
    def angles(self) -> Tensor:
        """The angles in degrees, ``[M, P, N]``."""
        return self.cosines.clamp(-1, 1).acos().rad2deg()

    @property
    def degrees(self) -> Tensor:
        """The mean angle over nodes in degrees, ``[M, P]``."""
        return self.angles.mean(dim=2)

    @property
    def acute(self) -> Tensor:
        """The share of nodes at which the angle is below 90 degrees, ``[M, P]``."""
        return (self.cosines > 0).to(self.cosines.dtype).where(~self.cosines.isnan(), torch.nan).mean(dim=2)

    @property
    def left_out(self) -> list[tuple[int, tuple[int, int]]]:
        """Student layers and pairs that have no angle, 0-based."""
        missing = self.cosines.isnan().all(dim=2).nonzero().tolist()
        return [(i, self.pairs[p]) for i, p in missing]


def _pull(layer: Tensor, i: int, hop: Tensor, j: int, term: MatchingTerm | None) -> Tensor | None:
    """Computes teacher layer minus student layer, ``[B, d_j]``; None where widths differ without a projection."""
    if term is None:
        return hop - layer if layer.shape[1] == hop.shape[1] else None
    projected = term.project_for(layer, i, j)
    return None if projected is None else hop - projected


def _cosine(u: Tensor | None, w: Tensor | None) -> Tensor | None:
    """Computes the cosine at each node, ``[B]``; None where there is no angle."""
    if u is None or w is None or u.shape[1] != w.shape[1]:
        return None
    lengths = torch.linalg.vector_norm(u, dim=1) * torch.linalg.vector_norm(w, dim=1)
    cosine: Tensor = (u * w).sum(dim=1) / (lengths + EPSILON)
    return cosine


def _check_depths(num_student: int, num_teacher: int) -> None:
    if num_student < 1:
        raise GraphKDError(
            "angles need a hidden layer of the student, but there is none: set student.num_layers to 2 or more"
        )
    if num_teacher < 2:
        raise GraphKDError(
            f"angles need two hidden layers of the teacher, but there are {num_teacher}: "
            "set teacher.num_layers to 3 or more (a given teacher: give its hops as well)"
        )


def _nothing_seen(hidden: list[Tensor], hops: list[Tensor]) -> str:
    student, teacher = (
        " and ".join(map(str, sorted({layer.shape[1] for layer in layers}))) for layers in (hidden, hops)
    )
    return (
        f"there is no angle to measure: the student's layers have width {student}, the teacher's {teacher}, and "
        "no projection joins two of them: set matching.projection=linear, or equal hidden_dim"
    )
