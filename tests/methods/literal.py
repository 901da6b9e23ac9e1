"""Literal twins of the methods: every formula as it is printed, in loops and float64."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from tests.literal import dense_adjacency, kl, symmetric

ZERO = torch.zeros((), dtype=torch.float64)


def softened(logits: Tensor, tau: float = 1.0) -> Tensor:
    """softmax(a / tau), logits [C] -> [C]."""
    return torch.softmax(logits.double() / tau, dim=0)


def directed_edges(edge_index: Tensor, num_nodes: int) -> list[tuple[int, int]]:
    """The distinct (receiver i, sender j) with i != j."""
    adjacency = dense_adjacency(edge_index, num_nodes)
    nodes = range(num_nodes)
    return [(i, j) for i in nodes for j in nodes if i != j and adjacency[i, j] == 1]


def high_frequency_loss(student_logits: Tensor, teacher_logits: Tensor, edge_index: Tensor, tau: float) -> Tensor:
    """1 / |E| * sum over (i, j) of E of KL(softmax(|t_i - t_j| / tau) || softmax(|z_i - z_j| / tau)).

    Without edges it is 0.
    student_logits [N, C], teacher_logits [N, C], edge_index [2, E] -> scalar.
    """
    edges = directed_edges(edge_index, student_logits.shape[0])
    total = ZERO
    for i, j in edges:
        teacher = softened((teacher_logits[i] - teacher_logits[j]).abs(), tau)
        student = softened((student_logits[i] - student_logits[j]).abs(), tau)
        total = total + kl(teacher, student)
    return total / max(len(edges), 1)


def entropy(logits: Tensor) -> float:
    """-sum_c p_c log p_c with p = softmax(logits) [C]."""
    probabilities = softened(logits)
    return -sum(float(p) * float(torch.log(p)) for p in probabilities if p > 0)


def reliability(teacher_logits: Tensor, perturbed_logits: Tensor) -> Tensor:
    """rho_v = |H(p(perturbed_v)) - H(p(t_v))| / max_u (the same), zeros where nothing moves: [N]."""
    nodes = range(teacher_logits.shape[0])
    moved = [abs(entropy(perturbed_logits[v]) - entropy(teacher_logits[v])) for v in nodes]
    largest = max(moved)
    return torch.tensor([each / largest if largest > 0 else 0.0 for each in moved], dtype=torch.float64)


def agreement_by_bin(rho: Tensor, agrees: Sequence[bool], bins: int) -> list[tuple[float, float]]:
    """(left edge, fraction of agreeing nodes) of every bin of [0, 1] that has nodes; 1 itself is in the last."""
    found = []
    for number in range(bins):
        members = [v for v in range(rho.shape[0]) if min(int(float(rho[v]) * bins), bins - 1) == number]
        if members:
            found.append((number / bins, sum(agrees[v] for v in members) / len(members)))
    return found


def power_error(power: float, centres: Sequence[float], rates: Sequence[float]) -> float:
    """sum_b (1 - c_b^power - r_b)^2."""
    return sum((1.0 - centre**power - rate) ** 2 for centre, rate in zip(centres, rates, strict=True))


def drawn_edge_loss(
    student_logits: Tensor, teacher_logits: Tensor, kept: Sequence[tuple[int, int]], tau: float
) -> Tensor:
    """Mean over the kept (receiver i, sender j), self-loops among them, of KL(p^tau(t_j) || p^tau(z_i))."""
    total = ZERO
    for i, j in kept:
        total = total + kl(softened(teacher_logits[j], tau), softened(student_logits[i], tau))
    return total / len(kept)


def boosting_round(
    weights: Tensor, student_logits: Tensor, teacher_logits: Tensor, beta: float
) -> tuple[Tensor, float]:
    """The weights after student k and its coefficient a_k.

    err_i = 1 - exp(-beta KL(p(t_i) || p(z_i))), e = sum_i w_i err_i, a = max(log((1 - e) / e), 1e-16),
    w_i <- w_i exp(a err_i), renormalised to a sum of 1. The formula has no a for e = 0: ours is 30 at most.
    weights [N], student_logits [N, C], teacher_logits [N, C] -> [N], float.
    """
    num_nodes = weights.shape[0]
    errors = []
    for i in range(num_nodes):
        divergence = float(kl(softened(teacher_logits[i]), softened(student_logits[i].detach())))
        errors.append(1.0 - math.exp(-beta * divergence))
    mean = sum(float(weights[i]) * errors[i] for i in range(num_nodes))
    odds = (1.0 - mean) / max(mean, 1e-16)
    coefficient = min(max(math.log(odds) if odds > 0 else -math.inf, 1e-16), 30.0)
    grown = [float(weights[i]) * math.exp(coefficient * errors[i]) for i in range(num_nodes)]
    return torch.tensor([each / sum(grown) for each in grown], dtype=torch.float64), coefficient


def boosted_distillation(
    student_logits: Sequence[Tensor], teacher_logits: Tensor, weights: Tensor, tau: float, beta: float
) -> tuple[Tensor, Tensor, list[float]]:
    """mean_k KD_k with KD_k = sum_i w_i KL(p^tau(t_i) || p^tau(z^k_i)), the weights being those after students
    1 … k - 1; the weights after student K; all a_k.

    student_logits K times [N, C], teacher_logits [N, C], weights [N] -> scalar, [N], [K].
    """
    total, coefficients = ZERO, []
    for logits in student_logits:
        for i in range(logits.shape[0]):
            divergence = kl(softened(teacher_logits[i], tau), softened(logits[i], tau))
            total = total + weights[i].double() * divergence
        weights, coefficient = boosting_round(weights, logits, teacher_logits, beta)
        coefficients.append(coefficient)
    return total / len(student_logits), weights, coefficients


def mean_squared(left: Tensor, right: Tensor) -> Tensor:
    """The mean over all entries of (left - right)^2, [B, d] each -> scalar."""
    total = ZERO
    for i in range(left.shape[0]):
        for c in range(left.shape[1]):
            total = total + (left[i, c].double() - right[i, c].double()) ** 2
    return total / (left.shape[0] * left.shape[1])


def alignment(
    logits: Tensor, masked_logits: Tensor, hidden: Sequence[Tensor], masked_hidden: Sequence[Tensor], share: float
) -> Tensor:
    """share * MSE(log p, log p masked) + (1 - share) * mean_l MSE(h_l, h_l masked) over the labelled rows.

    logits [L, C], hidden [L, d_l] each, one per hidden layer -> scalar.
    """
    log_p = torch.stack([torch.log(softened(row)) for row in logits])
    masked_log_p = torch.stack([torch.log(softened(row)) for row in masked_logits])
    states = ZERO
    for mine, masked in zip(hidden, masked_hidden, strict=True):
        states = states + mean_squared(mine, masked)
    return share * mean_squared(log_p, masked_log_p) + (1 - share) * states / max(len(hidden), 1)


def ensemble_probabilities(student_logits: Sequence[Tensor], coefficients: Sequence[float]) -> Tensor:
    """sum_k a_k / (sum a) * softmax(z^k): [N, C]."""
    rows = []
    for i in range(student_logits[0].shape[0]):
        row = torch.zeros(student_logits[0].shape[1], dtype=torch.float64)
        for logits, coefficient in zip(student_logits, coefficients, strict=True):
            row = row + coefficient / sum(coefficients) * softened(logits[i])
        rows.append(row)
    return torch.stack(rows)


def aggregated(z: Tensor, edge_index: Tensor, hops: int) -> Tensor:
    """S … S z, S = D^-1/2 (A' + I) D^-1/2 over the edges A' that are left: [N, d]."""
    matrix, h = symmetric(edge_index, z.shape[0], 1.0), z.double()
    for _ in range(hops):
        h = matrix @ h
    return h


def cosine_loss(prediction: Tensor, target: Tensor, eta: float) -> Tensor:
    """mean_i (1 - cos(p_i, sg(h_i)))^eta, prediction [N, d], target [N, d] -> scalar."""
    total = ZERO
    for i in range(prediction.shape[0]):
        p, h = prediction[i].double(), target[i].detach().double()
        cosine = (p * h).sum() / ((p * p).sum().sqrt() * (h * h).sum().sqrt())
        total = total + (1.0 - cosine) ** eta
    return total / prediction.shape[0]


def sequence_row(student: Any, row: Tensor, threshold: float) -> tuple[Tensor, Tensor, int]:
    """A sequence of MLPs on one row [D], member by member: probabilities [C], last hidden layer [h], its stop.

    z_1 = W_k x + b_k, and V_k h more for k > 0; the answer is sum_j softmax(c)_j P_j over the members reached,
    c_j = max P_j; after member k the row stops if c_k >= threshold < 1.
    """
    answers: list[Tensor] = []
    hidden = torch.zeros(0)
    last = len(student.members) - 1
    for k, member in enumerate(student.members):
        h = row
        for i, layer in enumerate(member.layers):
            z = layer.weight @ h + layer.bias
            if i == 0 and k > 0:
                z = z + student.carries[k - 1].weight @ hidden
            if i + 1 < len(member.layers):
                h = torch.stack([max(each, torch.zeros_like(each)) for each in z])
            else:
                answers.append(softened(z))
        hidden = h
        confidences = [float(each.detach().max()) for each in answers]
        if k == last or (threshold < 1 and confidences[-1] >= threshold):
            shares = [math.exp(each) for each in confidences]
            mixture = sum(share / sum(shares) * each for share, each in zip(shares, answers, strict=True))
            return torch.as_tensor(mixture), hidden, k
    raise AssertionError


def mixed_up_loss(
    logits_of: Callable[[Tensor], Tensor], x: Tensor, y: Tensor, partner: Sequence[int], share: Tensor
) -> Tensor:
    """Mean over rows i of (1 - u_i) CE(z, y_i) + u_i CE(z, y_j) with z the logits of (1 - u_i) x_i + u_i x_j."""
    total = ZERO
    for i, j in enumerate(partner):
        z = logits_of((1 - share[i]) * x[i] + share[i] * x[j])
        log_p = torch.log(softened(z))
        total = total - (1 - share[i]) * log_p[y[i]] - share[i] * log_p[y[j]]
    return total / len(partner)


def token_loss(student: Tensor, teacher: Tensor, codes: Tensor, tau: float) -> Tensor:
    """Mean over rows of KL(p^tau(r_i) || p^tau(s_i)), r_im = cos(t_i, e_m), s_im = cos(s_i, e_m)."""
    total = ZERO
    for s, t in zip(student, teacher, strict=True):
        ours, theirs = (
            torch.stack([(row * code).sum() / (row.norm() * code.norm()) for code in codes]) for row in (s, t)
        )
        total = total + kl(softened(theirs, tau), softened(ours, tau))
    return total / student.shape[0]
