import pytest
import torch
from hypothesis import given
from torch import Tensor

from graphkd import GraphKDError
from graphkd.matching import Attention, MatchingTerm
from graphkd.matching.distances import mse
from graphkd.matching.layers import Layers
from tests.matching.twins import dot, softmax, squares, stacks


def literal(hidden: list[Tensor], hops: list[Tensor]) -> float:
    total = 0.0
    for layer in hidden:
        target = torch.zeros_like(layer)
        for v in range(len(layer)):
            shares = softmax([dot(layer[v], hop[v]) for hop in hops])
            for share, hop in zip(shares, hops, strict=True):
                target[v] += share * hop[v]
        total += squares(layer, target)
    return total / len(hidden)


@given(layers=stacks())
def test_the_loss_equals_loops(layers: tuple[list[Tensor], list[Tensor]]) -> None:
    term = MatchingTerm.of(Attention(distance="mse"), [3] * len(layers[0]), [3] * len(layers[1]))
    assert abs(float(term.loss(*layers)) - literal(*layers)) < 1e-9


def test_gradients_go_through_the_weights_too() -> None:
    hops = [torch.randn(4, 3, dtype=torch.float64) for _ in range(3)]
    term = MatchingTerm.of(Attention(distance="mse"), [3, 3], [3, 3, 3])
    hidden = [torch.randn(4, 3, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    assert torch.autograd.gradcheck(lambda *layers: term.loss(list(layers), hops), hidden)


def test_one_dominating_layer_is_the_target() -> None:
    student = torch.randn(6, 4)
    hops = [torch.randn(6, 4), 50 * student, torch.randn(6, 4)]
    weights = Attention().weights([student, -student], hops)
    torch.testing.assert_close(weights[:, 0], torch.eye(3)[1].expand(6, 3), atol=1e-4, rtol=0)
    term = MatchingTerm.of(Attention(distance="mse"), [4], [4, 4, 4])
    torch.testing.assert_close(term.loss([student], hops), mse(student, hops[1]).mean(), rtol=1e-3, atol=0)


@pytest.mark.parametrize("scale", [1e-30, 1e-10, 1e10, 1e19, 1e30])
def test_weights_are_finite_whatever_the_norms(scale: float) -> None:
    hidden, hops = [scale * torch.randn(8, 4)], [scale * torch.randn(8, 4) for _ in range(3)]
    hidden[0][0] = 0
    weights = Attention().weights(hidden, hops)
    assert weights.isfinite().all()
    torch.testing.assert_close(weights.sum(dim=2), torch.ones(8, 1))
    torch.testing.assert_close(weights[0, 0], torch.full((3,), 1 / 3))
    if scale > 1:
        best = torch.stack([(hidden[0].double() * hop.double()).sum(dim=1) for hop in hops], dim=1).argmax(dim=1)
        ahead = weights[1:, 0].gather(1, best[1:, None])
        assert (ahead == weights[1:, 0].amax(dim=1, keepdim=True)).all()


def test_each_student_layer_has_one_projection_even_where_the_distance_takes_any_width(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from graphkd.matching import term as module
    from graphkd.matching.distances import Distance

    monkeypatch.setitem(module.DISTANCES, "mse", Distance(mse, any_width=True))
    term = MatchingTerm.of(Attention(distance="mse"), [4, 6, 5], [6, 6, 6])
    assert {name: tuple(each.weight.shape) for name, each in term.projections.maps.items()} == {
        "0_0": (6, 4),
        "2_0": (6, 5),
    }
    layers = Layers([torch.randn(3, width) for width in (4, 6, 5)], [torch.randn(3, 6)] * 3, term.distance)
    assert term.loss(layers.hidden, layers.hops).isfinite()


def test_teacher_layers_of_different_widths_have_no_average() -> None:
    with pytest.raises(GraphKDError, match=r"widths \[4, 6\]: give them one width, or choose matching=emd or"):
        MatchingTerm.of(Attention(), [4], [4, 6])
