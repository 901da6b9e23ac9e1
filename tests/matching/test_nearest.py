import torch
from hypothesis import given
from torch import Tensor

from graphkd.matching import MatchingTerm, Nearest
from graphkd.matching.base import uniform_map
from graphkd.matching.distances import DISTANCES
from graphkd.matching.layers import Layers
from tests.matching.twins import squares, stacks


def literal(hidden: list[Tensor], hops: list[Tensor]) -> float:
    total = 0.0
    for t in uniform_map(len(hidden), len(hops)):
        total += min(squares(layer, hops[t]) for layer in hidden)
    return total / len(hidden)


@given(layers=stacks())
def test_the_loss_equals_loops_and_the_weights_say_it(layers: tuple[list[Tensor], list[Tensor]]) -> None:
    hidden, hops = layers
    term = MatchingTerm.of(Nearest(distance="mse"), [3] * len(hidden), [3] * len(hops))
    expected = literal(hidden, hops)
    assert abs(float(term.loss(hidden, hops)) - expected) < 1e-9
    costs = torch.tensor([[squares(layer, hop) for hop in hops] for layer in hidden], dtype=torch.float64)
    weights = term.matching.weights(hidden, hops)
    assert abs(float((weights * costs).sum()) - expected) < 1e-9
    counts = [uniform_map(len(hidden), len(hops)).count(t) for t in range(len(hops))]
    torch.testing.assert_close(weights.sum(dim=0), torch.tensor(counts, dtype=torch.float64) / len(hidden))


def test_a_permuted_copy_is_found() -> None:
    hops = [torch.randn(6, 4) for _ in range(6)]
    wanted = [hops[t] for t in uniform_map(3, 6)]
    hidden = [wanted[2], wanted[0], wanted[1]]
    weights = Nearest().weights(hidden, hops)
    assert weights.nonzero().tolist() == [[0, 5], [1, 1], [2, 3]]
    assert float(MatchingTerm.of(Nearest(distance="mse"), [4] * 3, [4] * 6).loss(hidden, hops)) == 0


def test_one_student_layer_may_learn_all_and_only_the_nearest_gets_a_gradient() -> None:
    hops = [torch.randn(6, 4) for _ in range(2)]
    near = ((hops[0] + hops[1]) / 2).requires_grad_()
    far = (hops[0] + 100).requires_grad_()
    MatchingTerm.of(Nearest(distance="mse"), [4, 4], [4, 4]).loss([far, near], hops).backward()
    assert far.grad is None
    assert near.grad is not None


def test_a_teacher_layer_that_is_named_twice_counts_twice() -> None:
    layers = [torch.randn(6, 4) for _ in range(6)]
    weights = Nearest().weights(layers[:4], layers[4:])
    torch.testing.assert_close(weights.sum(dim=0), torch.tensor([0.5, 0.5]))


def test_costs_that_are_not_asked_for_are_not_made() -> None:
    hidden, hops = [torch.randn(6, 4) for _ in range(2)], [torch.randn(6, 4) for _ in range(6)]
    layers = Layers(hidden, hops, DISTANCES["mse"])
    Nearest().loss(layers)
    assert sorted(layers._costs) == [(0, 2), (0, 5), (1, 2), (1, 5)] == Nearest().projected(2, 6)
