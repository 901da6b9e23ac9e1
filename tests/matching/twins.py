"""Distances and layers for the literal twins of soft strategies."""

from __future__ import annotations

import torch
from hypothesis import strategies as st
from torch import Tensor

from tests.strategies import tables


@st.composite
def stacks(draw: st.DrawFn, rows: int = 5, columns: int = 3) -> tuple[list[Tensor], list[Tensor]]:
    """One to three student layers and one to four teacher layers, float64, all ``[rows, columns]``."""
    layers = [draw(st.lists(tables(rows, columns), min_size=1, max_size=most)) for most in (3, 4)]
    return layers[0], layers[1]


def squares(student: Tensor, teacher: Tensor) -> float:
    """``mean_vd (s_vd − t_vd)²`` as a loop."""
    total = 0.0
    for s, t in zip(student.flatten().tolist(), teacher.flatten().tolist(), strict=True):
        total += (s - t) ** 2
    return total / student.numel()


def softmax(scores: list[float]) -> list[float]:
    """``exp(s_j) / Σ_k exp(s_k)``."""
    exponentials = torch.tensor(scores, dtype=torch.float64).exp()
    return (exponentials / exponentials.sum()).tolist()


def dot(one: Tensor, two: Tensor) -> float:
    """``Σ_d a_d b_d`` as a loop."""
    return sum(a * b for a, b in zip(one.tolist(), two.tolist(), strict=True))
