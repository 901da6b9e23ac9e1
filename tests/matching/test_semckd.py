import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from graphkd import GraphKDError
from graphkd.matching import MatchingTerm, SemCKD
from graphkd.matching.distances import DISTANCES, Distance
from tests.matching.twins import dot, softmax, squares, stacks


def unit(row: Tensor) -> Tensor:
    return row / max(dot(row, row) ** 0.5, 1e-12)


def code(network: nn.Module, layer: Tensor, v: int, anchors: list[int]) -> Tensor:
    """The unit vector that a query or key network makes of a node's cosines with the anchors."""
    cosines = torch.tensor([dot(unit(layer[v]), unit(layer[r])) for r in anchors], dtype=torch.float64)
    first, _, second = network
    return unit(second.weight @ (first.weight @ cosines + first.bias).clamp(min=0) + second.bias)


def literal(strategy: SemCKD, hidden: list[Tensor], hops: list[Tensor]) -> tuple[float, Tensor]:
    num_nodes, total = len(hops[0]), 0.0
    weights = torch.zeros(num_nodes, len(hidden), len(hops), dtype=torch.float64)
    anchors = [int(fraction * num_nodes) for fraction in strategy.fractions.tolist()]
    for v in range(num_nodes):
        keys = [code(network, hop, v, anchors) for network, hop in zip(strategy.keys, hops, strict=True)]
        for i, layer in enumerate(hidden):
            query = code(strategy.queries[i], layer, v, anchors)
            weights[v, i] = torch.tensor(softmax([dot(query, key) for key in keys]), dtype=torch.float64)
            for j, hop in enumerate(hops):
                total += float(weights[v, i, j]) * squares(layer[v], hop[v])
    return total / num_nodes / len(hidden), weights


@settings(max_examples=15)
@given(layers=stacks(), anchors=st.sampled_from([1, 2, 6, 9]))
@torch.no_grad()
def test_loss_and_weights_equal_loops_given_the_parameters(
    layers: tuple[list[Tensor], list[Tensor]], anchors: int
) -> None:
    torch.manual_seed(0)
    widths = [3] * len(layers[0]), [3] * len(layers[1])
    term = MatchingTerm.of(SemCKD(distance="mse", anchors=anchors), *widths).double()
    loss, weights = literal(term.matching, *layers)
    assert float(term.loss(*layers)) == pytest.approx(loss, abs=1e-8)
    torch.testing.assert_close(term.matching.weights(*layers), weights, atol=1e-8, rtol=0)


def test_queries_and_keys_train() -> None:
    torch.manual_seed(0)
    hidden, hops = [torch.randn(30, 4) for _ in range(2)], [torch.randn(30, 4) for _ in range(3)]
    term = MatchingTerm.of(SemCKD(distance="mse", anchors=8), [4, 4], [4, 4, 4])
    optimizer = torch.optim.Adam(term.parameters(), lr=0.03)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = term.loss(hidden, hops)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.97 * losses[0]
    shapes = [tuple(weight.shape) for weight in term.matching.queries[0].parameters()]
    assert shapes == [(4, 8), (4,), (2, 4), (2,)]


def test_anchors_are_drawn_by_seed_and_fit_every_batch() -> None:
    drawn = [MatchingTerm.of(SemCKD(seed=seed), [4], [4, 4]).matching.fractions for seed in (0, 0, 1)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    term = MatchingTerm.of(SemCKD(anchors=64), [4], [4, 4])
    for num_nodes in (1, 3, 64, 200):
        layers = [torch.randn(num_nodes, 4) for _ in range(3)]
        assert term.loss(layers[:1], layers[1:]).isfinite()
        torch.testing.assert_close(
            term.matching.weights(layers[:1], layers[1:]).sum(dim=2), torch.ones(num_nodes, 1)
        )


def test_terms_of_one_strategy_learn_apart() -> None:
    strategy = SemCKD()
    one, two = (MatchingTerm.of(strategy, [4], [4, 4]) for _ in range(2))
    assert not set(one.parameters()) & set(two.parameters())
    assert not list(strategy.parameters())


@pytest.mark.parametrize("anchors", [0, -1, 2.5, True, 4097])
def test_numbers_of_anchors_that_cannot_be(anchors: object) -> None:
    with pytest.raises(GraphKDError, match=f"matching.anchors is {anchors}: it must be a whole number from 1 to"):
        SemCKD(anchors=anchors)


def test_a_distance_of_whole_layers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DISTANCES, "whole", Distance(lambda s, t: (s - t).square().mean(), by_node=False))
    with pytest.raises(GraphKDError, match="distance=whole does not tell apart: choose one of mse, "):
        SemCKD(distance="whole")


def test_a_strategy_that_has_learned_nothing_has_no_weights() -> None:
    layer = torch.randn(5, 4)
    with pytest.raises(GraphKDError, match="nothing about 1 student and 2 teacher layers: take the strategy of a"):
        SemCKD().weights([layer], [layer, layer])
