"""Literal twins: every formula as it is printed, in loops and float64, to check the closed forms against."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor


def dense_adjacency(edge_index: Tensor, num_nodes: int, self_loops: float | None = None) -> Tensor:
    """A[i, j] = 1 if there is an edge j -> i, else 0; A[i, i] = self_loops if given.

    edge_index [2, E] = [sender, receiver] -> [N, N].
    """
    adjacency = torch.zeros(num_nodes, num_nodes, dtype=torch.float64)
    for sender, receiver in edge_index.t().tolist():
        adjacency[receiver, sender] = 1.0
    if self_loops is not None:
        for i in range(num_nodes):
            adjacency[i, i] = self_loops
    return adjacency


def symmetric(edge_index: Tensor, num_nodes: int, self_loops: float | None) -> Tensor:
    """S_ij = M_ij / (sqrt(D_i) sqrt(D_j)), D_i = sum_j M_ij, and 0 where D_i or D_j is 0.

    M = dense_adjacency(edge_index, num_nodes, self_loops); edge_index [2, E] -> [N, N].
    """
    matrix = dense_adjacency(edge_index, num_nodes, self_loops)
    degree = [0.0] * num_nodes
    for i in range(num_nodes):
        for j in range(num_nodes):
            degree[i] += matrix[i, j].item()
    result = torch.zeros(num_nodes, num_nodes, dtype=torch.float64)
    for i in range(num_nodes):
        for j in range(num_nodes):
            if degree[i] != 0.0 and degree[j] != 0.0:
                result[i, j] = matrix[i, j] / (degree[i] ** 0.5 * degree[j] ** 0.5)
    return result


def mean_pooled(x: Tensor, edge_index: Tensor, hops: int, self_loops: float | None) -> Tensor:
    """1 / (P + 1) * sum_{k=0..P} S^k X, with P = hops.

    x [N, D], edge_index [2, E] -> [N, D].
    """
    power = x.double()
    matrix = symmetric(edge_index, x.shape[0], self_loops)
    total = power
    for _ in range(hops):
        power = matrix @ power
        total = total + power
    return total / (hops + 1)


def pooled(x: Tensor, edge_index: Tensor, hops: int, self_loops: float | None, pooling: str) -> Tensor:
    """Entry by entry the mean, the largest or the smallest of X, S X, ..., S^P X, or all of them side by side.

    x [N, D], edge_index [2, E] -> [N, D], or [N, (P + 1) D] for concat.
    """
    matrix, powers = symmetric(edge_index, x.shape[0], self_loops), [x.double()]
    for _ in range(hops):
        powers.append(matrix @ powers[-1])
    reduce = {"mean": lambda values: sum(values) / len(values), "max": max, "min": min}
    rows = []
    for i in range(x.shape[0]):
        if pooling == "concat":
            rows.append([entry for power in powers for entry in power[i].tolist()])
        else:
            entries = zip(*(power[i].tolist() for power in powers), strict=True)
            rows.append([reduce[pooling](list(values)) for values in entries])
    return torch.tensor(rows, dtype=torch.float64)


def influence(
    x: Tensor, edge_index: Tensor, hops: int, self_loops: float | None, columns: int | None = None
) -> Tensor:
    """r_i / max r, where r_i = sum_j |C_ij| over the first ``columns`` (by default all) j and C is cos(x_i, y_j)
    min-max scaled over all entries.

    Y = S^hops X; cos is 0 if either row is zero; C is all ones if max - min < 1e-12; all ones if max r is 0.
    x [N, D], edge_index [2, E] -> [N].
    """
    num_nodes = x.shape[0]
    x = x.double()
    y = x
    matrix = symmetric(edge_index, num_nodes, self_loops)
    for _ in range(hops):
        y = matrix @ y

    cosine = torch.zeros(num_nodes, num_nodes, dtype=torch.float64)
    for i in range(num_nodes):
        for j in range(num_nodes):
            norm_x = (x[i] * x[i]).sum().sqrt()
            norm_y = (y[j] * y[j]).sum().sqrt()
            if norm_x > 0 and norm_y > 0:
                cosine[i, j] = (x[i] * y[j]).sum() / (norm_x * norm_y)

    low, high = cosine.min(), cosine.max()
    if high - low < 1e-12:
        scaled = torch.ones(num_nodes, num_nodes, dtype=torch.float64)
    else:
        scaled = (cosine - low) / (high - low)

    row_sum = torch.zeros(num_nodes, dtype=torch.float64)
    for i in range(num_nodes):
        for j in range(num_nodes if columns is None else columns):
            row_sum[i] += scaled[i, j].abs()
    if row_sum.max() == 0:
        return torch.ones(num_nodes, dtype=torch.float64)
    return row_sum / row_sum.max()


def kl(p: Tensor, q: Tensor) -> Tensor:
    """KL(p || q) = sum_c p_c (log p_c - log q_c), with 0 log 0 = 0.

    p [C], q [C] -> scalar.
    """
    total = torch.zeros((), dtype=torch.float64)
    for c in range(p.shape[0]):
        if p[c] > 0:
            total = total + p[c] * (torch.log(p[c]) - torch.log(q[c]))
    return total


def edge_loss(
    student_logits: Tensor,
    teacher_logits: Tensor,
    edge_index: Tensor,
    tau: float,
    weight: Tensor,
    variant: str,
    reverse: bool = False,
) -> Tensor:
    """Mean of weight_j * KL(q_j || p_i) over the edges j -> i of E°; KL(p_i || q_j) if reverse.

    q_j = softmax(t_j / tau), p_i = softmax(z_i / tau); E° = the distinct edges without self-loops, plus
    exactly one self-loop per node. variant 'reference': the mean over all edges of E°; variant 'paper': the
    mean over the nodes i of the mean over j in i's closed neighbourhood. Differentiable in student_logits.
    student_logits [N, C], teacher_logits [N, C], edge_index [2, E], weight [N] -> scalar.
    """
    if variant not in ("reference", "paper"):
        raise ValueError(f"unknown variant {variant!r}")
    num_nodes = student_logits.shape[0]
    adjacency = dense_adjacency(edge_index, num_nodes, 1.0)
    weight = weight.double()
    student = [torch.softmax(student_logits[i].double() / tau, dim=0) for i in range(num_nodes)]
    teacher = [torch.softmax(teacher_logits[j].double() / tau, dim=0) for j in range(num_nodes)]

    edge_sum = torch.zeros((), dtype=torch.float64)
    edge_count = 0
    node_sum = torch.zeros((), dtype=torch.float64)
    for i in range(num_nodes):
        closed_sum = torch.zeros((), dtype=torch.float64)
        closed_count = 0
        for j in range(num_nodes):
            if adjacency[i, j] == 0:
                continue
            divergence = kl(student[i], teacher[j]) if reverse else kl(teacher[j], student[i])
            closed_sum = closed_sum + weight[j] * divergence
            closed_count += 1
        edge_sum = edge_sum + closed_sum
        edge_count += closed_count
        node_sum = node_sum + closed_sum / closed_count

    if variant == "reference":
        return edge_sum / edge_count
    return node_sum / num_nodes


def label_loss(student_logits: Tensor, labels: Tensor, train: Tensor, weight: Tensor) -> Tensor:
    """1 / |train| * sum_{i in train} weight_i * (log sum_c exp z_ic - z_{i, y_i}).

    train holds node indices, or is a boolean mask [N]. Differentiable in student_logits.
    student_logits [N, C], labels [N], train [T], weight [N] -> scalar.
    """
    nodes = train.tolist()
    total = torch.zeros((), dtype=torch.float64)
    for i in nodes:
        logits = student_logits[i].double()
        cross_entropy = torch.logsumexp(logits, dim=0) - logits[int(labels[i])]
        total = total + weight[i].double() * cross_entropy
    return total / len(nodes)


def node_loss(student_logits: Tensor, teacher_logits: Tensor, tau: float) -> Tensor:
    """1 / N * sum_i KL(softmax(t_i / tau) || softmax(z_i / tau)). Differentiable in student_logits.

    student_logits [N, C], teacher_logits [N, C] -> scalar.
    """
    num_nodes = student_logits.shape[0]
    total = torch.zeros((), dtype=torch.float64)
    for i in range(num_nodes):
        teacher = torch.softmax(teacher_logits[i].double() / tau, dim=0)
        student = torch.softmax(student_logits[i].double() / tau, dim=0)
        total = total + kl(teacher, student)
    return total / num_nodes


def gcn_layer(x: Tensor, edge_index: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """S X W^T + b, with S = symmetric(edge_index, N, self_loops=1).

    x [N, in], edge_index [2, E], weight [out, in], bias [out] -> [N, out].
    """
    return symmetric(edge_index, x.shape[0], 1.0) @ x.double() @ weight.double().t() + bias.double()


def sage_mean_layer(
    x: Tensor,
    edge_index: Tensor,
    neighbour_weight: Tensor,
    neighbour_bias: Tensor,
    self_weight: Tensor,
) -> Tensor:
    """W_n mean_{j -> i} x_j + b_n + W_s x_i, over the distinct senders j (self-loops count; zeros if none).

    x [N, in], edge_index [2, E], neighbour_weight [out, in], neighbour_bias [out], self_weight [out, in]
    -> [N, out].
    """
    num_nodes = x.shape[0]
    x = x.double()
    adjacency = dense_adjacency(edge_index, num_nodes)
    rows = []
    for i in range(num_nodes):
        mean = torch.zeros(x.shape[1], dtype=torch.float64)
        count = 0
        for j in range(num_nodes):
            if adjacency[i, j] == 1:
                mean = mean + x[j]
                count += 1
        if count > 0:
            mean = mean / count
        neighbour_part = mean @ neighbour_weight.double().t() + neighbour_bias.double()
        rows.append(neighbour_part + x[i] @ self_weight.double().t())
    return torch.stack(rows)


def sage_gcn_layer(
    x: Tensor,
    edge_index: Tensor,
    weight: Tensor,
    bias: Tensor,
    self_loops: float,
) -> Tensor:
    """W (sum_{j -> i, j != i} x_j + s x_i) / (|{j -> i, j != i}| + s) + b, with s = self_loops.

    x [N, in], edge_index [2, E], weight [out, in], bias [out] -> [N, out].
    """
    num_nodes = x.shape[0]
    x = x.double()
    adjacency = dense_adjacency(edge_index, num_nodes)
    rows = []
    for i in range(num_nodes):
        total = self_loops * x[i]
        count = 0
        for j in range(num_nodes):
            if j != i and adjacency[i, j] == 1:
                total = total + x[j]
                count += 1
        rows.append(total / (count + self_loops) @ weight.double().t() + bias.double())
    return torch.stack(rows)


def gat_layer(
    x: Tensor, edge_index: Tensor, weight: Tensor, att_src: Tensor, att_dst: Tensor, bias: Tensor, concat: bool
) -> Tensor:
    """sum_j a_ij W_h x_j for each head h, side by side if concat, else their mean; then + b.

    a_ij = exp(e_ij) / sum_k exp(e_ik) over the senders k of i's closed neighbourhood, each once;
    e_ij = l(<att_src_h, W_h x_j> + <att_dst_h, W_h x_i>), l(s) = s for s > 0, else 0.2 s.
    x [N, in], edge_index [2, E], weight [H * d, in], att_src [H, d], att_dst [H, d], bias [H * d] or [d]
    -> [N, H * d] or [N, d].
    """
    num_nodes, (heads, width) = x.shape[0], att_src.shape
    adjacency = dense_adjacency(edge_index, num_nodes, 1.0)
    rows = []
    for i in range(num_nodes):
        parts = []
        for head in range(heads):
            matrix = weight[head * width : (head + 1) * width].double()
            total, normaliser = torch.zeros(width, dtype=torch.float64), 0.0
            for j in range(num_nodes):
                if adjacency[i, j] == 0:
                    continue
                sent, own = matrix @ x[j].double(), matrix @ x[i].double()
                score = (att_src[head].double() * sent).sum() + (att_dst[head].double() * own).sum()
                factor = torch.exp(score if score > 0 else 0.2 * score)
                total, normaliser = total + factor * sent, normaliser + factor
            parts.append(total / normaliser)
        rows.append(torch.cat(parts) if concat else torch.stack(parts).sum(dim=0) / heads)
    return torch.stack(rows) + bias.double()


def gcnii(
    x: Tensor,
    edge_index: Tensor,
    first: tuple[Tensor, Tensor],
    weights: list[Tensor],
    last: tuple[Tensor, Tensor],
    alpha: float,
    lam: float,
) -> tuple[list[Tensor], Tensor]:
    """H_l = relu(((1 - b) I + b W_l) ((1 - a) S H_{l-1} + a H_0)), b = log(lam / l + 1), S as in gcn_layer.

    H_0 = relu(W x + c) of the first pair; the logits are W H_L + c of the last one.
    x [N, D], weights [h, h] each -> H_1 ... H_L, logits.
    """
    num_nodes, operator = x.shape[0], symmetric(edge_index, x.shape[0], 1.0)
    start = [torch.relu(first[0].double() @ x[i].double() + first[1].double()) for i in range(num_nodes)]
    layers, rows = [], start
    for place, weight in enumerate(weights, 1):
        beta, said = math.log(lam / place + 1), []
        for i in range(num_nodes):
            total = torch.zeros_like(start[0])
            for j in range(num_nodes):
                total = total + operator[i, j] * rows[j]
            mixed = (1 - alpha) * total + alpha * start[i]
            said.append(torch.relu((1 - beta) * mixed + beta * (weight.double() @ mixed)))
        rows = said
        layers.append(torch.stack(rows))
    return layers, layers[-1] @ last[0].double().t() + last[1].double()


def personalised(own: Tensor, edge_index: Tensor, steps: int, teleport: float) -> Tensor:
    """Z_{k+1} = (1 - a) S Z_k + a Z_0, row by row, with S as in gcn_layer.

    own [N, C], which is Z_0, edge_index [2, E] -> [N, C].
    """
    operator = symmetric(edge_index, own.shape[0], 1.0)
    rows = list(own.double())
    for _ in range(steps):
        said = []
        for i in range(own.shape[0]):
            total = torch.zeros_like(rows[0])
            for j in range(own.shape[0]):
                total = total + operator[i, j] * rows[j]
            said.append((1 - teleport) * total + teleport * own[i].double())
        rows = said
    return torch.stack(rows)


def transformer_layer(
    x: Tensor,
    edge_index: Tensor,
    query: tuple[Tensor, Tensor],
    key: Tensor,
    value: Tensor,
    own: tuple[Tensor, Tensor],
    gate: Tensor | None,
    heads: int,
    concat: bool,
) -> Tensor:
    """m_i = sum_j a_ij V_h x_j for each head h, side by side if concat, else their mean; with r_i = R x_i + b.

    a_ij = exp(e_ij) / sum_k exp(e_ik) over the senders k of i's closed neighbourhood, each once;
    e_ij = <Q_h x_i + c_h, K_h x_j> / sqrt(d). The result is m_i + r_i or, with a gate w [3 out],
    g r_i + (1 - g) m_i of g = 1 / (1 + exp(-<w, [m_i, r_i, m_i - r_i]>)).
    x [N, in], query, key and value [H * d, in] -> [N, H * d] or [N, d].
    """
    num_nodes, width = x.shape[0], key.shape[0] // heads
    adjacency = dense_adjacency(edge_index, num_nodes, 1.0)
    rows, x = [], x.double()
    for i in range(num_nodes):
        parts = []
        for head in range(heads):
            part = slice(head * width, (head + 1) * width)
            asked = query[0][part] @ x[i] + query[1][part]
            total, normaliser = torch.zeros(width, dtype=torch.float64), 0.0
            for j in range(num_nodes):
                if adjacency[i, j] == 0:
                    continue
                factor = torch.exp((asked * (key[part] @ x[j])).sum() / width**0.5)
                total, normaliser = total + factor * (value[part] @ x[j]), normaliser + factor
            parts.append(total / normaliser)
        message = torch.cat(parts) if concat else torch.stack(parts).sum(dim=0) / heads
        row = own[0] @ x[i] + own[1]
        if gate is None:
            rows.append(message + row)
            continue
        share = 1 / (1 + torch.exp(-(gate * torch.cat([message, row, message - row])).sum()))
        rows.append(share * row + (1 - share) * message)
    return torch.stack(rows)


def stack(
    x: Tensor,
    convs: list[Callable[[Tensor], Tensor]],
    gains: list[tuple[Tensor, Tensor]],
    activation: Callable[[Tensor], Tensor],
    residual: bool,
    alpha: float,
) -> tuple[list[Tensor], list[Tensor]]:
    """z_k = norm((1 - alpha) conv_k(e_{k-1}) + alpha e_1) with alpha = 0 for k = 1; e_k = act(z_k) [+ e_{k-1}].

    The norm is a layer's, (z - mean z) / sqrt(var z + 1e-5) * gain + shift, node by node; the residual is there
    where the widths agree; e_0 = x. The last hop is conv(e), and is in both results.
    x [N, D], gains [(gain [h], shift [h])] per hidden hop -> all z_k, all e_k.
    """
    before: list[Tensor] = []
    after: list[Tensor] = []
    last = x.double()
    for conv, (gain, shift) in zip(convs, gains, strict=False):
        said, pre, post = conv(last), [], []
        for i in range(x.shape[0]):
            row = said[i]
            if after:
                row = (1 - alpha) * row + alpha * after[0][i]
            mean = row.sum() / row.shape[0]
            spread = ((row - mean) * (row - mean)).sum() / row.shape[0]
            z = (row - mean) / (spread + 1e-5) ** 0.5 * gain + shift
            e = activation(z)
            pre.append(z)
            post.append(e + last[i] if residual and last.shape[1] == e.shape[0] else e)
        before.append(torch.stack(pre))
        after.append(torch.stack(post))
        last = after[-1]
    logits = convs[-1](last)
    return [*before, logits], [*after, logits]


def segment_softmax(rowptr: Tensor, scores: Tensor) -> Tensor:
    """exp(s_e) / sum_f exp(s_f) over the entries f of e's row, column by column.

    rowptr [M + 1], scores [nnz, H] -> [nnz, H].
    """
    pieces = [scores[:0]]
    for start, end in zip(rowptr[:-1].tolist(), rowptr[1:].tolist(), strict=True):
        total = torch.zeros(scores.shape[1], dtype=torch.float64)
        for entry in range(start, end):
            total = total + torch.exp(scores[entry])
        pieces += [(torch.exp(scores[entry]) / total).unsqueeze(0) for entry in range(start, end)]
    return torch.cat(pieces)


def edge_product(row: Tensor, col: Tensor, value: Tensor, dense: Tensor, num_rows: int) -> Tensor:
    """out[row_e, h] = sum_e value[e, h] * dense[col_e, h].

    row [nnz], col [nnz], value [nnz, H], dense [N, H, d] -> [num_rows, H, d].
    """
    rows = [torch.zeros(dense.shape[1:], dtype=dense.dtype) for _ in range(num_rows)]
    for entry in range(value.shape[0]):
        i, j = int(row[entry]), int(col[entry])
        rows[i] = rows[i] + value[entry].unsqueeze(1) * dense[j]
    return torch.stack(rows)
