from __future__ import annotations

import pytest
import torch

from graphkd.errors import GraphKDError
from graphkd.positions import neighbour_mean


def test_each_receiver_gets_the_mean_of_its_senders_and_zeros_without_any() -> None:
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(20, 5, generator=generator)
    receivers, senders = (
        torch.randint(6, (40,), generator=generator),
        torch.randint(20, (40,), generator=generator),
    )
    weight = torch.rand(40, generator=generator)
    for given in (None, weight):
        found = neighbour_mean(vectors, receivers, senders, 8, given)
        assert found.shape == (8, 5)
        for node in range(8):
            total, parts = 0.0, torch.zeros(5, dtype=torch.float64)
            for edge in range(40):
                if receivers[edge] == node:
                    share = 1.0 if given is None else float(given[edge])
                    total += share
                    parts += share * vectors[senders[edge]].double()
            torch.testing.assert_close(
                found[node].double(), parts / total if total else parts, atol=1e-6, rtol=1e-5
            )
        assert not found[6:].any()


def test_one_receiver_alone_has_the_bits_that_it_has_among_others_in_any_order_of_edges() -> None:
    generator = torch.Generator().manual_seed(1)
    vectors = torch.randn(50, 16, generator=generator)
    receivers, senders = (
        torch.randint(9, (200,), generator=generator),
        torch.randint(50, (200,), generator=generator),
    )
    whole = neighbour_mean(vectors, receivers, senders, 9)
    order = torch.randperm(200, generator=generator)
    assert torch.equal(neighbour_mean(vectors, receivers[order], senders[order], 9), whole)
    for node in range(9):
        mine = senders[receivers == node]
        assert torch.equal(neighbour_mean(vectors, torch.zeros_like(mine), mine, 1)[0], whole[node])


def test_weights_of_zero_and_no_edges_give_zeros() -> None:
    vectors, none = torch.ones(3, 2), torch.zeros(0, dtype=torch.long)
    assert not neighbour_mean(vectors, none, none, 4).any()
    assert neighbour_mean(vectors, none, none, 0).shape == (0, 2)
    zero = torch.tensor([0])
    assert not neighbour_mean(vectors, zero, zero, 1, torch.zeros(1)).any()


EDGE = torch.tensor([0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.ones(3), EDGE, EDGE, 1), "vectors must be floating point"),
        ((torch.ones(3, 2, dtype=torch.long), EDGE, EDGE, 1), "vectors must be floating point"),
        ((torch.ones(3, 2), EDGE, EDGE, -1), "count of arriving nodes is -1"),
        ((torch.ones(3, 2), EDGE, torch.tensor([0, 1]), 1), "receivers and senders must both be"),
        ((torch.ones(3, 2), EDGE.int(), EDGE, 1), "receivers must be int64"),
        ((torch.ones(3, 2), EDGE, EDGE + 3, 1), "senders must be in 0 to 2"),
        ((torch.ones(3, 2), EDGE + 1, EDGE, 1), "receivers must be in 0 to 0"),
        ((torch.ones(3, 2), EDGE, EDGE, 1, torch.tensor([-1.0])), "one finite number from 0 per edge"),
        ((torch.ones(3, 2), EDGE, EDGE, 1, torch.tensor([float("nan")])), "one finite number from 0 per edge"),
        ((torch.ones(3, 2), EDGE, EDGE, 1, torch.ones(2)), "one finite number from 0 per edge"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_in_one_line(arguments: tuple, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        neighbour_mean(*arguments)
