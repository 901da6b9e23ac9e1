import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkd.methods.tokens import token_divergence
from graphkd.teachers import codebook
from tests.methods.literal import token_loss
from tests.methods.twins import assert_same_loss
from tests.strategies import seeded, tables

CODES = torch.nn.functional.normalize(torch.randn(5, 3, generator=seeded(0), dtype=torch.float64), dim=1)


@settings(max_examples=20)
@given(student=tables(6, 3), teacher=tables(6, 3), tau=st.sampled_from([0.05, 1.0, 4.0]))
def test_value_and_gradient_are_those_of_a_loop(student: torch.Tensor, teacher: torch.Tensor, tau: float) -> None:
    shift = torch.randn(6, 3, generator=seeded(1), dtype=torch.float64)
    directions = torch.nn.functional.normalize(teacher + shift, dim=1)
    assert_same_loss(
        lambda s: 2.0 * token_divergence(s, directions, CODES, tau) / 6,
        lambda s: 2.0 * token_loss(s, directions, CODES, tau),
        student + shift.flip(0),
        scale=1.0,
        tolerance=1e-9,
    )


def test_rows_in_blocks_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    student, teacher = (torch.randn(40, 3, generator=seeded(k), dtype=torch.float64) for k in (1, 2))
    results = []
    for limit in (codebook.SIMILARITIES, 17):
        monkeypatch.setattr(codebook, "SIMILARITIES", limit)
        s = student.clone().requires_grad_()
        value = token_divergence(s, torch.nn.functional.normalize(teacher, dim=1), CODES, 0.5)
        value.backward()
        results.append((value.detach(), s.grad))
    torch.testing.assert_close(*results)
    assert float(results[0][0]) > 0.1
