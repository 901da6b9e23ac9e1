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
    """h after hops times h <- norm(S h) from z, S = D^-1/2 (A' + I) D^-1/2 over edges A' that are left.

    norm(h)_ik = (h_ik - m_k) / sqrt(v_k + 1e-5), m_k and v_k being mean and variance of column k. [N, d].
    """
    matrix, h = symmetric(edge_index, z.shape[0], 1.0), z.double()
    count = z.shape[0]
    for _ in range(hops):
        h = matrix @ h
        columns = []
        for k in range(z.shape[1]):
            column = h[:, k]
            m = column.sum() / count
            v = ((column - m) ** 2).sum() / count
            columns.append((column - m) / (v + 1e-5).sqrt())
        h = torch.stack(columns, dim=1)
    return h


def cosine_loss(prediction: Tensor, target: Tensor, eta: float) -> Tensor:
    """mean_i (1 - cos(p_i, sg(h_i)))^eta, prediction [N, d], target [N, d] -> scalar."""
    total = ZERO
    for i in range(prediction.shape[0]):
        p, h = prediction[i].double(), target[i].detach().double()
        cosine = (p * h).sum() / ((p * p).sum().sqrt() * (h * h).sum().sqrt())
        total = total + (1.0 - cosine) ** eta
    return total / prediction.shape[0]


def gram_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """mean over all pairs (i, j) of (h_i . h_j - r_i . r_j)^2, student r [N, d], teacher h [N, d'] -> scalar."""
    total, nodes = ZERO, range(student.shape[0])
    for i in nodes:
        for j in nodes:
            theirs = (teacher[i].double() * teacher[j].double()).sum()
            total = total + (theirs - (student[i].double() * student[j].double()).sum()) ** 2
    return total / student.shape[0] ** 2


def attacked(
    x: Tensor, noise: Tensor, weight: Tensor, teacher_logits: Tensor, epsilon: float, steps: int
) -> Tensor:
    """x + delta of a linear student z = W u, entry by entry.

    delta starts as the noise; in every step each entry moves by epsilon / 4 in the direction in which KL(q || p)
    of its node grows, sum_c W_ck (p_c - q_c), and is clipped to [-epsilon, epsilon].
    x [N, D], noise [N, D], weight [C, D], teacher_logits [N, C] -> [N, D].
    """
    delta = noise.clone()
    for _ in range(steps):
        for i in range(x.shape[0]):
            p, q = softened(weight @ (x[i] + delta[i])), softened(teacher_logits[i])
            moved = delta[i].clone()
            for k in range(x.shape[1]):
                slope = float((weight[:, k] * (p - q)).sum())
                sign = (slope > 0) - (slope < 0)
                moved[k] = min(max(float(delta[i, k]) + sign * epsilon / 4, -epsilon), epsilon)
            delta[i] = moved
    return x + delta


def relative_entropies(logits: Tensor) -> list[float]:
    """H(softmax(a_v)) / max_u H(softmax(a_u)) of every row; 1e-8 where it is 0."""
    entropies = [entropy(row) for row in logits]
    return [each / max(entropies) if each > 0 else 1e-8 for each in entropies]


def cosine(one: Tensor, other: Tensor) -> float:
    """cos(p(a), p(b)), logits [C] each."""
    p, q = softened(one), softened(other)
    return float((p * q).sum() / ((p * p).sum().sqrt() * (q * q).sum().sqrt()))


def hardness_probability(i: int, j: int, teacher_logits: Tensor, student_logits: Tensor, alpha: float) -> float:
    """1 - exp(-alpha cos(p(t_i), p(t_j)) sqrt(h_i g_i) / h_j), h and g being relative entropies."""
    h, g = relative_entropies(teacher_logits), relative_entropies(student_logits)
    closeness = cosine(teacher_logits[i], teacher_logits[j])
    return 1.0 - math.exp(-alpha * closeness * math.sqrt(h[i] * g[i]) / h[j])


def mixup_loss(
    student_logits: Tensor, teacher_logits: Tensor, shares: dict[tuple[int, int], float], tau: float
) -> Tensor:
    """Mean over the edges (receiver i, sender j) of KL((1 - m) p^tau(t_i) + m p^tau(t_j) || p^tau(z_i))."""
    total = ZERO
    for (i, j), share in shares.items():
        own, other = softened(teacher_logits[i], tau), softened(teacher_logits[j], tau)
        total = total + kl((1.0 - share) * own + share * other, softened(student_logits[i], tau))
    return total / len(shares)


def weighted_mixup_loss(
    student_logits: Tensor, teacher_logits: Tensor, shares: dict[tuple[int, int], float], weights: Tensor
) -> Tensor:
    """Mean over the edges of w KL(q || p(z_i)), where w q = (1 - m) c_i p(t_i) + m c_j p(t_j)."""
    total = ZERO
    for (i, j), share in shares.items():
        own, other = weights[i] * softened(teacher_logits[i]), weights[j] * softened(teacher_logits[j])
        mixed = (1.0 - share) * own + share * other
        total = total + mixed.sum() * kl(mixed / mixed.sum(), softened(student_logits[i]))
    return total / len(shares)


def hardness_weighted_loss(
    student_logits: Tensor, teacher_logits: Tensor, chances: dict[tuple[int, int], float], tau: float
) -> Tensor:
    """Mean over the edges of w_ij KL(p^tau(t_j) || p^tau(z_i)), w_ij = n_i softmax_j over i's edges of
    log(cos(p(t_i), p(t_j)) p_ij), n_i the number of i's edges."""
    total = ZERO
    for i in {receiver for receiver, _ in chances}:
        senders = [j for receiver, j in chances if receiver == i]
        scores = [math.log(cosine(teacher_logits[i], teacher_logits[j]) * chances[i, j]) for j in senders]
        shares = torch.softmax(torch.tensor(scores, dtype=torch.float64), dim=0)
        for share, j in zip(shares, senders, strict=True):
            divergence = kl(softened(teacher_logits[j], tau), softened(student_logits[i], tau))
            total = total + len(senders) * share * divergence
    return total / len(chances)


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


def consistency_loss(student_logits: Tensor, edge_index: Tensor) -> Tensor:
    """mean_v mean_{u in N(v)} -sum_c p_vc log p_uc, N(v) the distinct senders u != v; 0 for a node without any.

    student_logits [N, C], edge_index [2, E] -> scalar.
    """
    num_nodes, total = student_logits.shape[0], ZERO
    edges = directed_edges(edge_index, num_nodes)
    for v in range(num_nodes):
        senders = [j for i, j in edges if i == v]
        for u in senders:
            p, q = softened(student_logits[v]), torch.log_softmax(student_logits[u].double(), dim=0)
            total = total - (p * q).sum() / len(senders)
    return total / num_nodes


def smoothed(
    p: Tensor, edge_index: Tensor, labels: Sequence[int], validation: Sequence[int], shares: int = 101
) -> Tensor:
    """c p_v + (1 - c) mean_{u in N(v)} p_u, of all c from 1 down to 0 the first with the most hits on validation.

    A node without neighbours keeps its row. shares: number of values of c. p [N, C], edge_index [2, E] -> [N, C].
    """
    num_nodes, best, found = p.shape[0], -1, p
    edges = directed_edges(edge_index, num_nodes)
    for step in range(shares):
        c, rows = 1.0 - step / (shares - 1), []
        for v in range(num_nodes):
            senders = [p[j].double() for i, j in edges if i == v]
            mean = torch.stack(senders).mean(dim=0) if senders else p[v].double()
            rows.append(c * p[v].double() + (1 - c) * mean)
        hits = sum(int(rows[v].argmax()) == labels[v] for v in validation)
        if hits > best:
            best, found = hits, torch.stack(rows)
    return found


def cross_entropy(logits: Tensor, label: int) -> Tensor:
    """-log softmax(a)_y, logits [C] -> scalar."""
    return -torch.log_softmax(logits.double(), dim=0)[label]


def mean_squared_row(one: Tensor, other: Tensor) -> Tensor:
    """(1 / C) sum_c (a_c - b_c)^2, [C] each -> scalar."""
    return ((one.double() - other.double()) ** 2).sum() / one.shape[0]


def link_class_weights(edges: Sequence[tuple[int, int]], labels: dict[int, int], num_classes: int) -> list[float]:
    """c_k = C (n_k / e_k) / sum_l (n_l / e_l): n_k labelled nodes of class k, e_k labelled ends of edges; 0 if
    e_k = 0."""
    ratios = []
    for k in range(num_classes):
        nodes = sum(label == k for label in labels.values())
        ends = sum(labels.get(u) == k for u, _ in edges) + sum(labels.get(v) == k for _, v in edges)
        ratios.append(nodes / ends if ends else 0.0)
    return [num_classes * ratio / sum(ratios) for ratio in ratios]


def unlabelled_share(edges: Sequence[tuple[int, int]], labels: dict[int, int]) -> float:
    """1 - (labelled ends of edges) / (ends of edges)."""
    return 1.0 - sum((u in labels) + (v in labels) for u, v in edges) / (2 * len(edges))


def link_loss(y: Tensor, s: Tensor, edges: Sequence[tuple[int, int]]) -> Tensor:
    """Mean over the edges (u, v) of MSE(y_u, s_v) + MSE(y_v, s_u), y and s [N, C] -> scalar."""
    total = ZERO
    for u, v in edges:
        total = total + mean_squared_row(y[u], s[v]) + mean_squared_row(y[v], s[u])
    return total / len(edges)


def link_label_loss(y: Tensor, s: Tensor, edges: Sequence[tuple[int, int]], labels: dict[int, int]) -> Tensor:
    """2 * sum over the labelled ends x of edges, o at the other end, of c [CE(y_x, Y_x) + CE(s_o, Y_x)] / sum of
    c, c = c_{Y_x}."""
    weights = link_class_weights(edges, labels, y.shape[1])
    total, normaliser = ZERO, 0.0
    for x, other in [*edges, *((v, u) for u, v in edges)]:
        if x in labels:
            terms = cross_entropy(y[x], labels[x]) + cross_entropy(s[other], labels[x])
            total = total + weights[labels[x]] * terms
            normaliser += weights[labels[x]]
    return 2.0 * total / normaliser


def away_loss(
    y: Tensor,
    s: Tensor,
    edges: Sequence[tuple[int, int]],
    labels: dict[int, int],
    pairs: Sequence[tuple[int, int, float]],
    alpha: float,
    beta: float,
) -> Tensor:
    """Of ends x of edges with a random node n, times how often the end is there: the mean over edges of
    alpha / 2 [MSE(p(y_x), p(s_n)) + MSE(p(y_n), p(s_x))], plus beta times 2 * the c-weighted mean of CE(s_n, Y_x)
    over the labelled ends."""
    weights = link_class_weights(edges, labels, y.shape[1])
    distance, total, normaliser = ZERO, ZERO, 0.0
    for x, n, times in pairs:
        one = mean_squared_row(softened(y[x]), softened(s[n])) + mean_squared_row(softened(y[n]), softened(s[x]))
        distance = distance + times * one
        if x in labels:
            total = total + times * weights[labels[x]] * cross_entropy(s[n], labels[x])
            normaliser += times * weights[labels[x]]
    return alpha / 2 * distance / len(edges) + beta * 2.0 * total / normaliser


def random_label_loss(
    y: Tensor, s: Tensor, labels: dict[int, int], pairs: Sequence[tuple[int, int, float]], beta: float
) -> Tensor:
    """sum over the ends x with a labelled random node n of 2 CE(y_n, Y_n) - 2 beta CE(s_x, Y_n), divided by the
    expected number of such ends, n being any node but x."""
    total, expected = ZERO, 0.0
    for x, n, times in pairs:
        expected += times * sum(node != x for node in labels) / (y.shape[0] - 1)
        if n in labels:
            terms = 2.0 * cross_entropy(y[n], labels[n]) - 2.0 * beta * cross_entropy(s[x], labels[n])
            total = total + times * terms
    return total / expected


def dirichlet_energy(h: Tensor, edge_index: Tensor) -> Tensor:
    """1 / |E| * sum over (i, j) of E of ||h_i / sg||h_i|| - h_j / sg||h_j|| ||^2.

    Rows of zeros are not divided; without edges it is 0.

    h [N, d], edge_index [2, E] -> scalar.
    """
    edges, total = directed_edges(edge_index, h.shape[0]), h.double().sum() * 0
    unit = []
    for row in h.double():
        norm = math.sqrt(sum(float(entry) ** 2 for entry in row.detach()))
        unit.append(row / norm if norm > 0 else row * 0)
    for i, j in edges:
        total = total + ((unit[i] - unit[j]) ** 2).sum()
    return total / max(len(edges), 1)


def energy_ratio_loss(
    student: Sequence[tuple[Tensor, Tensor]],
    teacher: Sequence[tuple[Tensor, Tensor]],
    edge_index: Tensor,
    kind: str,
) -> Tensor:
    """sum over operations of (r(R_S) - r(R_T))^2 with R = DE(after) / DE(before), r(R) = log(R) / 2 or sqrt(R).

    An operation before or after which, in student or teacher, rows do not differ along edges is left out.
    student and teacher: per operation the tables before and after it, [N, d] each -> scalar.
    """
    total = ZERO
    for mine, theirs in zip(student, teacher, strict=True):
        energies = [dirichlet_energy(table, edge_index) for table in (*mine, *theirs)]
        if min(float(energy.detach()) for energy in energies) <= 1e-8:
            continue
        ratios = energies[1] / energies[0], energies[3] / energies[2]
        roots = [torch.log(each) / 2 if kind == "log" else torch.sqrt(each) for each in ratios]
        total = total + (roots[0] - roots[1]) ** 2
    return total


def neighbourhood_moments(rows: Tensor, edge_index: Tensor, eps: float) -> list[tuple[Tensor, Tensor]]:
    """Per node the mean m and sqrt(mean of (r - m)^2 + eps) over senders and the node itself, [d] each.

    rows [N, d], edge_index [2, E] -> N pairs.
    """
    adjacency, found = dense_adjacency(edge_index, rows.shape[0], 1.0), []
    for v in range(rows.shape[0]):
        near = [rows[u].double() for u in range(rows.shape[0]) if adjacency[v, u] == 1]
        mean = sum(near) / len(near)
        variance = sum((each - mean) ** 2 for each in near) / len(near)
        found.append((mean, torch.sqrt(variance + eps)))
    return found


def moment_distance(
    student: Tensor, teacher: Tensor, edge_index: Tensor, curvature: Sequence[float], gamma: float, eps: float
) -> Tensor:
    """mean_v w_v (||m_S - m_T||^2 + ||s_S - s_T||^2), w_v = N exp(gamma k_v) / sum_u exp(gamma k_u).

    student [N, d], teacher [N, d], curvature [N] -> scalar.
    """
    weights = [math.exp(gamma * each) for each in curvature]
    mine, theirs = (neighbourhood_moments(each, edge_index, eps) for each in (student, teacher))
    total = ZERO
    for v in range(student.shape[0]):
        apart = sum(((a - b) ** 2).sum() for a, b in zip(mine[v], theirs[v], strict=True))
        total = total + weights[v] / sum(weights) * apart
    return total
