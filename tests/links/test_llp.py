"""LLP's terms are the paper's sums, written as loops."""

import math

import pytest
import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.links import GLNN, LLP, Labels, draw_contexts
from graphkd.links.llp import distribution_loss, rank_loss
from graphkd.links.methods import LinkBatch
from graphkd.sparse import Adjacency


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def literal_rank(student: Tensor, teacher: Tensor, margin: float) -> float:
    """The mean over all ordered pairs of different nodes of a context; those with r = 0 add nothing."""
    terms = []
    for said, told in zip(student.tolist(), teacher.tolist(), strict=True):
        for u in range(len(said)):
            for w in range(len(said)):
                if u == w:
                    continue
                gap = told[u] - told[w]
                r = 1 if gap > margin else -1 if gap < -margin else 0
                terms.append(max(0.0, -r * (said[u] - said[w]) + margin) if r else 0.0)
    return sum(terms) / len(terms)


def literal_distribution(student: Tensor, teacher: Tensor, tau: float) -> float:
    total = 0.0
    for said, told in zip(student.tolist(), teacher.tolist(), strict=True):
        p = [math.exp(t / tau) for t in told]
        q = [math.exp(s / tau) for s in said]
        total += sum(a / sum(p) * math.log((a / sum(p)) / (b / sum(q))) for a, b in zip(p, q, strict=True))
    return total / len(student)


@pytest.mark.parametrize("margin", [0.0, 0.1, 0.4])
def test_the_rank_term_is_its_definition(margin: float) -> None:
    student, teacher = drawn(4, 6).sigmoid(), drawn(4, 6, seed=1).sigmoid()
    expected = literal_rank(student, teacher, margin)
    assert rank_loss(student, teacher, margin).item() == pytest.approx(expected, rel=1e-5)


def test_pairs_that_the_teacher_does_not_tell_apart_have_no_gradient() -> None:
    student = drawn(2, 5).requires_grad_()
    rank_loss(student, torch.full((2, 5), 0.5), 0.1).backward()
    assert student.grad is not None
    assert not bool(student.grad.any())


@pytest.mark.parametrize("tau", [0.5, 1.0, 4.0])
def test_the_distribution_term_is_its_definition(tau: float) -> None:
    student, teacher = drawn(4, 6), drawn(4, 6, seed=1)
    expected = literal_distribution(student, teacher, tau)
    assert distribution_loss(student, teacher, tau).item() == pytest.approx(expected, rel=1e-4)
    assert distribution_loss(teacher, teacher, tau).item() == pytest.approx(0.0, abs=1e-6)


def test_losses_are_their_weighted_terms() -> None:
    scores, labels, targets = drawn(4), torch.tensor([1.0, 0.0, 1.0, 0.0]), drawn(4, seed=2)
    batch = LinkBatch(scores, labels, targets, drawn(3, 5), drawn(3, 5, seed=3))
    terms = LLP(label_weight=0.5, distribution_weight=2.0, rank_weight=3.0).loss(batch)
    total = 0.5 * terms["labels"] + 2.0 * terms["distribution"] + 3.0 * terms["rank"]
    torch.testing.assert_close(terms["loss"], total)
    torch.testing.assert_close(terms["labels"], Labels().loss(batch)["loss"])
    pairs = zip(scores.tolist(), labels.tolist(), targets.tolist(), strict=True)
    expected = 0.0
    for score, label, target in pairs:
        told = 1 / (1 + math.exp(-target / 2))
        said = 1 / (1 + math.exp(-score / 2))
        soft = -told * math.log(said) - (1 - told) * math.log(1 - said)
        hard = math.log(1 + math.exp(-score if label else score))
        expected += (0.25 * hard + 0.75 * soft) / 4
    assert GLNN(lam=0.25, tau=2.0).loss(batch)["loss"].item() == pytest.approx(expected, rel=1e-5)


def test_contexts_hold_near_nodes_and_never_their_anchor() -> None:
    path = torch.stack([torch.arange(19), torch.arange(1, 20)])
    adj = Adjacency(torch.cat([path, path.flip(0)], dim=1), 22)
    contexts = draw_contexts(adj, walks=4, length=2, uniform=3, seed=5)
    assert contexts.anchors.tolist() == list(range(20))
    assert contexts.nodes.shape == (20, 11)
    assert not bool((contexts.nodes == contexts.anchors[:, None]).any())
    first = contexts.nodes[:, 0] - contexts.anchors  # a first step goes along an edge
    assert bool((first.abs() == 1).all())
    assert torch.equal(contexts.nodes, draw_contexts(adj, 4, 2, 3, seed=5).nodes)
    assert not torch.equal(contexts.nodes, draw_contexts(adj, 4, 2, 3, seed=6).nodes)
    pairs = contexts.pairs().reshape(20, 11, 2)
    assert torch.equal(pairs[..., 1], contexts.nodes)
    assert torch.equal(pairs[:, 4, 0], contexts.anchors)


WRONG = {
    "lam": (lambda: GLNN(lam=2.0), r"links.lam is 2.0: it must lie in \[0, 1\]"),
    "tau": (lambda: GLNN(tau=0.0), "links.tau is 0.0: it must be a number above 0"),
    "weight": (lambda: LLP(rank_weight=-1.0), "links.rank_weight is -1.0"),
    "margin": (lambda: LLP(margin=float("nan")), "links.margin is nan"),
    "anchors": (lambda: LLP(anchors=0), "links.anchors is 0"),
    "walks": (lambda: LLP(walks=-1), "links.walks is -1"),
    "context": (lambda: LLP(walks=0, uniform=1), "links.context is 1: it must be a whole number, 2 or more"),
}


@pytest.mark.parametrize("case", WRONG)
def test_settings_out_of_range_are_one_line(case: str) -> None:
    make, message = WRONG[case]
    with pytest.raises(GraphKDError, match=message):
        make()
