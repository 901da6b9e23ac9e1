"""Distances as they are printed: loops over nodes and entries in float64, differentiable."""

from __future__ import annotations

import torch
from torch import Tensor


def mse(student: Tensor, teacher: Tensor) -> Tensor:
    """1 / (N d) sum_vk (s_vk - t_vk)^2; student [N, d], teacher [N, d] -> scalar, as are all below."""
    return squared_l2(student, teacher) / student.shape[1]


def squared_l2(student: Tensor, teacher: Tensor) -> Tensor:
    """1 / N sum_v sum_k (s_vk - t_vk)^2."""
    total = torch.zeros((), dtype=torch.float64)
    for v in range(student.shape[0]):
        for k in range(student.shape[1]):
            total = total + (student[v, k] - teacher[v, k]) ** 2
    return total / student.shape[0]


def unit(row: Tensor, smallest: float) -> Tensor:
    """row / max(|row|, smallest)."""
    squares = sum((entry * entry for entry in row), torch.zeros((), dtype=torch.float64))
    return row / (squares.sqrt() if squares > smallest**2 else smallest)


def normalized_mse(student: Tensor, teacher: Tensor) -> Tensor:
    """1 / N sum_v |s_v / |s_v| - t_v / |t_v||^2; a row of zeros is left alone."""
    rows = [[unit(row, 1e-12) if (row != 0).any() else 0 * row for row in layer] for layer in (student, teacher)]
    return squared_l2(*map(torch.stack, rows))


def cosine(student: Tensor, teacher: Tensor) -> Tensor:
    """1 / N sum_v (1 - <s_v, t_v> / (|s_v| |t_v|))."""
    total = torch.zeros((), dtype=torch.float64)
    for s, t in zip(student, teacher, strict=True):
        total = total + 1 - (unit(s, 1e-8) * unit(t, 1e-8)).sum()
    return total / student.shape[0]


def standard(values: Tensor) -> Tensor:
    """(x - mean) / sqrt(variance + 1e-5) of the entries x of a tensor."""
    entries = list(values.reshape(-1))
    mean = sum(entries, torch.zeros((), dtype=torch.float64)) / len(entries)
    variance = sum(((entry - mean) ** 2 for entry in entries), torch.zeros((), dtype=torch.float64)) / len(entries)
    return torch.stack([(entry - mean) / (variance + 1e-5).sqrt() for entry in entries]).reshape(values.shape)


def layer_norm(student: Tensor, teacher: Tensor) -> Tensor:
    """mse of rows that are standardised one by one."""
    return mse(*(torch.stack([standard(row) for row in layer]) for layer in (student, teacher)))


def standardized_mse(student: Tensor, teacher: Tensor) -> Tensor:
    """mse of layers that are standardised as a whole."""
    return mse(standard(student), standard(teacher))


def gram(student: Tensor, teacher: Tensor) -> Tensor:
    """1 / N^2 sum_uv (<s_u, s_v> - <t_u, t_v>)^2; student [N, d], teacher [N, d'] -> scalar."""
    num_nodes = student.shape[0]
    total = torch.zeros((), dtype=torch.float64)
    for u in range(num_nodes):
        for v in range(num_nodes):
            total = total + ((student[u] * student[v]).sum() - (teacher[u] * teacher[v]).sum()) ** 2
    return total / num_nodes**2


def cka(student: Tensor, teacher: Tensor) -> Tensor:
    """1 - <K, L> / (|K| |L|) with K_uv = <s_u - mean s, s_v - mean s>, L alike; 1 if K or L is 0."""
    num_nodes = student.shape[0]
    s = student - sum(student, torch.zeros(student.shape[1])) / num_nodes
    t = teacher - sum(teacher, torch.zeros(teacher.shape[1])) / num_nodes
    both = own = other = torch.zeros((), dtype=torch.float64)
    for u in range(num_nodes):
        for v in range(num_nodes):
            k, m = (s[u] * s[v]).sum(), (t[u] * t[v]).sum()
            both, own, other = both + k * m, own + k * k, other + m * m
    if own < 1e-24 or other < 1e-24:
        return 1 + 0 * student.sum() + 0 * teacher.sum()
    return 1 - both / (own.sqrt() * other.sqrt())
