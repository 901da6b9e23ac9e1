import pytest
import torch

from graphkd import GraphKDError
from graphkd.matching import AllToOne, Forward, MatchingTerm, Reverse


def test_a_student_that_equals_its_teacher_has_loss_zero_under_forward_only() -> None:
    layers = [torch.randn(5, 4) for _ in range(3)]
    widths = [4, 4, 4]
    forward = MatchingTerm.of(Forward(distance="mse"), widths, widths)
    reverse = MatchingTerm.of(Reverse(distance="mse"), widths, widths)
    assert float(forward.loss(layers, layers)) == 0
    assert float(reverse.loss(layers, layers)) > 0.1


def test_a_student_whose_projections_are_the_teacher_s_layers_has_loss_zero_under_forward() -> None:
    hidden = [torch.randn(5, 4) for _ in range(2)]
    for projection in ("auto", "shared", "random", "orthogonal"):
        term = MatchingTerm.of(Forward(distance="mse", projection=projection), [4, 4], [6, 6])
        with torch.no_grad():
            hops = [term.projections(layer, i, i) for i, layer in enumerate(hidden)]
        assert float(term.loss(hidden, hops).detach()) == 0
        assert float(term.loss(hidden, hops[::-1]).detach()) > 0.01


def test_the_loss_is_the_mean_over_pairs() -> None:
    hidden, hops = [torch.zeros(5, 4), torch.ones(5, 4)], [torch.full((5, 4), 3.0)]
    term = MatchingTerm.of(AllToOne(distance="mse"), [4, 4], [4])
    assert float(term.loss(hidden, hops)) == (9 + 4) / 2


def test_projections_are_learned_where_widths_differ_and_bias_free() -> None:
    term = MatchingTerm.of(Forward(), [4, 6], [6, 6])
    assert [tuple(parameter.shape) for parameter in term.parameters()] == [(6, 4)]
    hidden = [torch.randn(5, 4, requires_grad=True), torch.randn(5, 6, requires_grad=True)]
    term.loss(hidden, [torch.randn(5, 6), torch.randn(5, 6)]).backward()
    assert all(layer.grad is not None and layer.grad.abs().sum() > 0 for layer in hidden)
    assert all(parameter.grad.abs().sum() > 0 for parameter in term.parameters())


@pytest.mark.parametrize(
    ("student", "teacher", "message"),
    [([], [4], "the student has none"), ([4], [], "the teacher has none"), ([4], [6], "width 4, the teacher's 6")],
)
def test_layers_that_cannot_be_matched(student: list[int], teacher: list[int], message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        MatchingTerm.of(Forward(projection="none"), student, teacher)
