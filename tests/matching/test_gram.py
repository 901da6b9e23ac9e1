import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from graphkd.matching import gram as module
from graphkd.matching.gram import cka, gram
from tests.matching import distance_twins
from tests.strategies import seeded, tables


def rotation(width: int, seed: int = 0) -> Tensor:
    return torch.linalg.qr(torch.randn(width, width, generator=seeded(seed))).Q


def with_gradients(function, student: Tensor, teacher: Tensor) -> tuple[Tensor, ...]:
    leaves = student.clone().requires_grad_(), teacher.clone().requires_grad_()
    value = function(*leaves)
    return value.detach(), *torch.autograd.grad(value, leaves)


@pytest.mark.parametrize("name", ["gram", "cka"])
@settings(max_examples=25)
@given(student=tables(6, 3), teacher=tables(6, 2))
def test_matrices_of_widths_do_for_matrices_of_nodes(name: str, student: Tensor, teacher: Tensor) -> None:
    found = with_gradients(getattr(module, name), student, teacher)
    expected = with_gradients(getattr(distance_twins, name), student, teacher)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("function", [gram, cka])
def test_the_size_of_blocks_does_not_matter(function, monkeypatch: pytest.MonkeyPatch) -> None:
    student, teacher = (torch.randn(23, width, generator=seeded(width), dtype=torch.float64) for width in (3, 5))
    whole = with_gradients(function, student, teacher)
    monkeypatch.setattr(module, "BLOCK", 20)
    torch.testing.assert_close(with_gradients(function, student, teacher), whole, rtol=1e-12, atol=1e-12)


def test_the_frozen_teacher_gets_no_gradient() -> None:
    student, teacher = torch.randn(9, 3, requires_grad=True), torch.randn(9, 3)
    (gram(student, teacher) + cka(student, teacher)).backward()
    assert student.grad is not None
    assert student.grad.dtype == student.dtype
    assert teacher.grad is None


def test_gram_of_a_rotated_copy_is_zero_also_in_more_dimensions() -> None:
    x = torch.randn(200, 4)
    assert float(gram(x, x @ rotation(4))) == pytest.approx(0, abs=1e-10)
    wider = torch.cat([x, torch.zeros(200, 3)], dim=1) @ rotation(7)
    assert float(gram(x, wider)) == pytest.approx(0, abs=1e-10)


def test_gram_of_two_nodes_by_hand() -> None:
    student, teacher = torch.tensor([[1.0], [2.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    assert float(gram(student, teacher)) == (0 + 4 + 4 + 9) / 4


def test_cka_of_a_rotated_scaled_and_shifted_copy_is_one() -> None:
    x = torch.randn(200, 4)
    moved = 7 * x @ rotation(4) + torch.tensor([1.0, -20.0, 3.0, 0.0])
    assert float(cka(x, moved)) == pytest.approx(0, abs=1e-6)


def test_cka_of_orthogonal_blocks_is_zero() -> None:
    columns = torch.linalg.qr(torch.cat([torch.ones(40, 1), torch.randn(40, 5)], dim=1)).Q[:, 1:]
    assert float(cka(columns[:, :2], columns[:, 2:])) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("flat", [torch.zeros(70, 3), torch.full((70, 3), 0.1), torch.rand(1, 3).expand(70, 3)])
def test_cka_of_equal_rows_is_defined_and_pulls_nowhere(flat: Tensor) -> None:
    x = torch.randn(70, 3)
    for student, teacher in ((flat, x), (x, flat), (flat, flat)):
        value, *gradients = with_gradients(cka, student, teacher)
        assert float(value) == 1
        assert all((gradient == 0).all() for gradient in gradients)


def test_cka_beside_equal_rows_has_a_finite_gradient() -> None:
    value, *gradients = with_gradients(cka, 1e-20 * torch.randn(70, 3), torch.randn(70, 3))
    assert 0 <= float(value) <= 1
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_gram_keeps_its_digits_where_three_large_terms_cancel() -> None:
    generator, share = seeded(0), 2.0**-14
    student = 1000.0 * torch.randint(-8, 9, (100_000, 6), generator=generator)
    teacher = student * (1 + share)  # exact in float32: whole numbers of few bits
    energy = (student.double().t() @ student.double()).square().sum() / 100_000**2
    assert float(gram(student, teacher)) == pytest.approx(float(((1 + share) ** 2 - 1) ** 2 * energy), rel=1e-6)
    for seed in range(3):
        assert float(gram(student, student @ rotation(6, seed))) >= 0
        assert float(gram(student, student.flip(1))) >= 0
