"""Literal twins of the influences, as loops in float64."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from tests.literal import dense_adjacency, symmetric


def scaled(scores: list[float], noise: float = 0.0) -> Tensor:
    """``s_i / max s``; ones where ``max s`` is no more than rounding."""
    top = max(scores)
    return torch.tensor([score / top if top > noise else 1.0 for score in scores], dtype=torch.float64)


def degree(edges: Tensor, num_nodes: int) -> Tensor:
    """Distinct receivers of each node, itself not among them."""
    heard: list[set[int]] = [set() for _ in range(num_nodes)]
    for sender, receiver in edges.t().tolist():
        if sender != receiver:
            heard[sender].add(receiver)
    return scaled([float(len(each)) for each in heard])


def pagerank(edges: Tensor, num_nodes: int, damping: float) -> Tensor:
    """The solution of ``(I − d M) p = (1 − d) / N``, M[i, j] the chance to go from j to i."""
    adjacency = dense_adjacency(edges, num_nodes)
    chance = torch.zeros(num_nodes, num_nodes, dtype=torch.float64)
    for j in range(num_nodes):
        sent = sum(adjacency[i, j].item() for i in range(num_nodes))
        for i in range(num_nodes):
            chance[i, j] = adjacency[i, j].item() / sent if sent else 1.0 / num_nodes
    system = torch.eye(num_nodes, dtype=torch.float64) - damping * chance
    jump = torch.full((num_nodes,), (1.0 - damping) / num_nodes, dtype=torch.float64)
    return scaled(torch.linalg.solve(system, jump).tolist())


def kcore(edges: Tensor, num_nodes: int) -> Tensor:
    """The largest k for which a node survives the removal of nodes with fewer than k neighbours."""
    neighbours: list[set[int]] = [set() for _ in range(num_nodes)]
    for one, other in edges.t().tolist():
        if one != other:
            neighbours[one].add(other)
            neighbours[other].add(one)
    core = [0.0] * num_nodes
    for k in range(1, num_nodes):
        left = set(range(num_nodes))
        while weak := {node for node in left if len(neighbours[node] & left) < k}:
            left -= weak
        for node in left:
            core[node] = float(k)
    return scaled(core)


def betweenness(edges: Tensor, num_nodes: int) -> Tensor:
    """Over all pairs: the share of shortest paths with a node inside; paths are found by trying all sequences."""
    arcs = {(sender, receiver) for sender, receiver in edges.t().tolist()}
    score = [0.0] * num_nodes
    for s, t in itertools.permutations(range(num_nodes), 2):
        others = [node for node in range(num_nodes) if node not in (s, t)]
        for length in range(len(others) + 1):
            paths = [
                inner
                for inner in itertools.permutations(others, length)
                if all(arc in arcs for arc in itertools.pairwise((s, *inner, t)))
            ]
            for inner in paths:
                for node in inner:
                    score[node] += 1.0 / len(paths)
            if paths:
                break
    return scaled(score)


def random_walk(edges: Tensor, num_nodes: int, hops: int, self_loops: int) -> Tensor:
    """Column sums of the matrix power, its entries as sums over walks."""
    matrix = symmetric(edges, num_nodes, None if self_loops == 0 else float(self_loops))
    power = torch.eye(num_nodes, dtype=torch.float64)
    for _ in range(hops):
        product = torch.zeros_like(power)
        for i, j, k in itertools.product(range(num_nodes), repeat=3):
            product[i, j] += matrix[i, k] * power[k, j]
        power = product
    return scaled([sum(power[j, i].item() for j in range(num_nodes)) for i in range(num_nodes)])


def entropy(logits: Tensor) -> list[float]:
    """``−Σ_c p_c log p_c`` with ``p = softmax(t)``, node by node."""
    found = []
    for row in logits.double():
        chances = (row - row.max()).exp() / (row - row.max()).exp().sum()
        found.append(-sum((p * p.log()).item() for p in chances if p > 0))
    return found


def infgrand_per_class(x: Tensor, edges: Tensor, labels: list[int], hops: int, loops: int) -> Tensor:
    """The double loop over nodes and labelled nodes, class by class."""
    num_nodes, x = x.shape[0], x.double()
    y, matrix = x, symmetric(edges, num_nodes, float(loops))
    for _ in range(hops):
        y = matrix @ y
    cosine = [[_cosine(x[i], y[j]) for j in range(num_nodes)] for i in range(num_nodes)]
    low = min(min(row) for row in cosine)
    shares: list[dict[int, float]] = [{} for _ in range(num_nodes)]
    for c in sorted({label for label in labels if label >= 0}):
        members = [j for j in range(num_nodes) if labels[j] == c]
        sums = [sum(cosine[i][j] - low for j in members) for i in range(num_nodes)]
        for i in range(num_nodes):
            shares[i][c] = sums[i] / max(sums) if max(sums) > 1e-12 * len(members) else 0.0
    if not any(shares):
        return torch.ones(num_nodes, dtype=torch.float64)
    own = [shares[i][labels[i]] if labels[i] >= 0 else max(shares[i].values()) for i in range(num_nodes)]
    return scaled(own)


def _cosine(one: Tensor, other: Tensor) -> float:
    norms = (one @ one).sqrt() * (other @ other).sqrt()
    return float(one @ other / norms) if norms > 0 else 0.0
