"""Heuristics are their definitions over sets of neighbours."""

import math

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.links import heuristics
from graphkd.links.heuristics import Heuristic, adamic_adar, common_neighbours, resource_allocation
from graphkd.sparse import Adjacency
from tests.strategies import edge_lists

NODES = 9
EVERY = torch.cartesian_prod(torch.arange(NODES), torch.arange(NODES))


def neighbours(edge_index: Tensor) -> list[set[int]]:
    found: list[set[int]] = [set() for _ in range(NODES)]
    for u, v in edge_index.t().tolist():
        if u != v:
            found[u].add(v)
            found[v].add(u)
    return found


def literal(edge_index: Tensor, weight) -> list[float]:
    near = neighbours(edge_index)
    return [sum(weight(len(near[z])) for z in near[u] & near[v]) for u, v in EVERY.tolist()]


WEIGHTS = {
    common_neighbours: lambda degree: 1.0,
    adamic_adar: lambda degree: 1 / math.log(degree) if degree > 1 else 0.0,
    resource_allocation: lambda degree: 1 / degree,
}


@pytest.mark.parametrize("heuristic", WEIGHTS, ids=lambda heuristic: heuristic.__name__)
@given(edge_index=edge_lists(NODES))
@settings(max_examples=15, deadline=None)
def test_heuristics_are_their_definitions(heuristic, edge_index: Tensor) -> None:
    expected = literal(edge_index, WEIGHTS[heuristic])
    for weight in (None, torch.rand(edge_index.shape[1]) + 0.5):
        found = heuristic(Adjacency(edge_index, NODES, weight), EVERY)
        assert found.tolist() == pytest.approx(expected, rel=2**-22)  # rounded to single precision


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    adj = Adjacency(torch.randint(NODES, (2, 20), generator=torch.Generator().manual_seed(0)), NODES)
    whole = adamic_adar(adj, EVERY)
    monkeypatch.setattr(heuristics, "BLOCK", 5)
    assert torch.equal(adamic_adar(adj, EVERY), whole)


def test_the_mean_of_heuristics_is_of_standardised_scores() -> None:
    adj = Adjacency(torch.randint(NODES, (2, 20), generator=torch.Generator().manual_seed(1)), NODES)
    reference = EVERY[::2]
    mean = Heuristic.on(adj, "heuristics", reference)
    parts = []
    for heuristic in WEIGHTS:
        over = heuristic(adj, reference).double()
        parts.append((heuristic(adj, EVERY).double() - over.mean()) / over.std(correction=0))
    torch.testing.assert_close(mean(EVERY), torch.stack(parts).mean(dim=0).float(), atol=1e-5, rtol=1e-5)
    one = mean(EVERY[5:6])
    torch.testing.assert_close(one, mean(EVERY)[5:6])
    empty = Adjacency(torch.zeros(2, 0, dtype=torch.long), NODES)
    assert bool((Heuristic.on(empty, "heuristics", reference)(EVERY) == 0).all())
    assert mean.on_graph(empty).moments == mean.moments


WRONG = {
    "name": ("katz", EVERY, "links.teacher is 'katz': choose cn or aa or ra or heuristics"),
    "reference": ("heuristics", EVERY[:0], "has no reference pairs"),
    "pair": ("heuristics", torch.tensor([[0, NODES]]), "names nodes 0 to 9"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_heuristic_is_one_line(case: str) -> None:
    name, reference, message = WRONG[case]
    with pytest.raises(GraphKDError, match=message):
        Heuristic.on(Adjacency(torch.tensor([[0], [1]]), NODES), name, reference)
