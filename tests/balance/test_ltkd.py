"""LTKD against loops over nodes, edges, groups and classes, in float64."""

import math
from dataclasses import replace

import pytest
import torch

from graphkd import GraphKDError
from graphkd.balance import LongTailDistillation
from graphkd.distributed import Shard
from graphkd.methods import GLNN, AdaGMLP
from graphkd.methods.class_groups import ClassGroups, grouped
from graphkd.methods.fold import edge_targets, mean_of, node_targets
from graphkd.sparse import SparseMatrix
from graphkd.teachers import TeacherOutput
from graphkd.testing.graphs import small_graph

GROUPS = ((1, 4), (0, 2, 5), (3,))
ALPHA, BETA, TAU = 0.7, 1.3, 2.0


def drawn(rows: int, seed: int, classes: int = 6) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(rows, classes, generator=generator, dtype=torch.float64)


def parts() -> ClassGroups:
    return ClassGroups(tuple(torch.tensor(group) for group in GROUPS), ALPHA, BETA)


def softmax(row: torch.Tensor) -> list[float]:
    exps = [math.exp(float(entry) / TAU) for entry in row]
    return [each / sum(exps) for each in exps]


def kl(one: list[float], other: list[float]) -> float:
    return sum(p * math.log(p / q) for p, q in zip(one, other, strict=True))


def literal(t: torch.Tensor, z: torch.Tensor, edges: list[tuple[int, int, float]], reverse: bool = False) -> float:
    """``Σ_ij w_ij [alpha KL(q̂_G^j ‖ p_G^i) + beta Σ_G KL(q̃_G^j ‖ p̃_G^i)]``."""
    teacher, student = [softmax(row) for row in t], [softmax(row) for row in z]
    mass = [sum(sum(q[c] for c in group) for q in teacher) for group in GROUPS]
    r = [sum(mass) / len(mass) / each for each in mass]
    total = 0.0
    for i, j, weight in edges:
        q, p = teacher[j], student[i]
        q_group = [sum(q[c] for c in group) for group in GROUPS]
        scaled = [factor * each for factor, each in zip(r, q_group, strict=True)]
        balanced = [each / sum(scaled) for each in scaled]
        p_group = [sum(p[c] for c in group) for group in GROUPS]
        pairs = [(ALPHA, balanced, p_group)]
        for group, q_sum, p_sum in zip(GROUPS, q_group, p_group, strict=True):
            pairs.append((BETA, [q[c] / q_sum for c in group], [p[c] / p_sum for c in group]))
        for factor, one, other in pairs:
            total += weight * factor * (kl(other, one) if reverse else kl(one, other))
    return total


def pattern(rows: int) -> SparseMatrix:
    row, col = torch.tensor([0, 0, 1, 2, 3, 3, 4]), torch.tensor([0, 3, 1, 4, 2, 3, 0])
    return mean_of(SparseMatrix.from_coo(row, col, torch.ones(7, dtype=torch.float64), (rows, rows)))


@pytest.mark.parametrize("kind", ["nodes", "edges", "reverse"])
def test_folded_groups_are_the_formula_with_its_gradient(kind: str) -> None:
    t, z, edges = drawn(5, 0), drawn(5, 1), pattern(5)
    listed = list(zip(edges.row.tolist(), edges.col.tolist(), edges.value.tolist(), strict=True))
    soft = edge_targets(t, edges, TAU, reverse=kind == "reverse")
    if kind == "nodes":
        soft, listed = node_targets(t, TAU), [(node, node, 0.2) for node in range(5)]
    soft = grouped(soft, parts())
    assert soft.table.shape == (5, 5 + 3)  # columns of groups of several classes, then groups
    z.requires_grad_()
    loss = soft.loss(z)
    expected = literal(t, z.detach(), listed, kind == "reverse")
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-9)
    (gradient,) = torch.autograd.grad(loss, z)
    for row, column in ((0, 0), (3, 3), (4, 5)):
        moved = z.detach().clone()
        moved[row, column] += 1e-5
        slope = (literal(t, moved, listed, kind == "reverse") - expected) / 1e-5
        assert float(gradient[row, column]) == pytest.approx(slope, rel=1e-3, abs=1e-6)


def test_batches_and_shares_of_processes_add_up() -> None:
    t, z, graph = drawn(60, 0, 3), drawn(60, 1, 3), small_graph()
    part = LongTailDistillation()
    part.build(graph, t)
    targets = part.fold(GLNN(tau=TAU).prepare(graph, TeacherOutput(t)))
    assert targets.soft is not None
    whole = targets.soft.loss(z)
    pieces = [targets.select(rows) for rows in torch.arange(60).split(17)]
    split = torch.arange(60).split(17)
    losses = [
        len(rows) / 60 * piece.soft.loss(z[rows], piece.scale) for rows, piece in zip(split, pieces, strict=True)
    ]
    torch.testing.assert_close(torch.stack(losses).sum(), whole, rtol=1e-6, atol=0)
    shares = []
    for rows in (slice(0, 23), slice(23, 60)):
        share = targets.select(torch.arange(60)[rows]).as_shard(Shard(rows, 60), 1.0)
        shares.append(share.soft.loss(z[rows], share.scale))
    torch.testing.assert_close(torch.stack(shares).sum(), whole, rtol=1e-6, atol=0)


def test_a_fold_with_other_edges_is_that_of_the_start() -> None:
    t, z, edges = drawn(5, 0), drawn(5, 1), pattern(5)
    loops = edges.with_values(torch.where(edges.row == edges.col, 1.0, 0.0).double())
    moved = grouped(edge_targets(t, edges, TAU), parts())
    moved.refold(weights=loops)
    start = grouped(edge_targets(t, loops, TAU), parts())
    torch.testing.assert_close(moved.loss(z), start.loss(z), rtol=1e-12, atol=0)


@pytest.mark.parametrize(("classes", "sizes"), [(2, [1, 1]), (3, [1, 1, 1]), (7, [2, 3, 2]), (15, [5, 5, 5])])
def test_head_medium_and_tail_are_thirds_of_the_classes_by_size(classes: int, sizes: list[int]) -> None:
    part = LongTailDistillation()
    part.register_buffer("order", torch.arange(classes).flip(0))
    groups = part.groups()
    assert [group.numel() for group in groups] == sizes
    assert torch.cat(groups).sort().values.tolist() == list(range(classes))
    assert int(groups[0].min()) > int(groups[-1].max())


def test_a_method_that_folds_nothing_is_refused() -> None:
    graph, part = small_graph(), LongTailDistillation()
    output = TeacherOutput(drawn(60, 0, 3))
    part.build(replace(graph), output.logits)
    with pytest.raises(GraphKDError, match=r"^balance=ltkd takes folded soft targets apart, and .* folds none"):
        part.fold(AdaGMLP().prepare(graph, output))
