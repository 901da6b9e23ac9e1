import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd.methods import fold_kernel
from graphkd.methods.fold_kernel import folded_sum
from tests.strategies import tables


@given(z=tables(7, 3), table=tables(7, 3, low=0.0), tau=st.sampled_from([0.5, 1.0, 2.0]), block=st.integers(1, 30))
def test_value_and_gradient_are_autograd_s_in_blocks_of_any_size(
    z: torch.Tensor, table: torch.Tensor, tau: float, block: int
) -> None:
    mine, other = z.clone().requires_grad_(), z.clone().requires_grad_()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fold_kernel, "BLOCK", block)
        ours = 3.0 * folded_sum(mine, table, table.sum(dim=1), tau)
        ours.backward()
    theirs = 3.0 * (table * torch.log_softmax(other / tau, dim=1)).sum()
    theirs.backward()
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(mine.grad, other.grad)


def test_logits_need_not_be_contiguous() -> None:
    z, table = torch.randn(3, 7, dtype=torch.float64).t(), torch.rand(7, 3, dtype=torch.float64)
    strided = z.detach().requires_grad_()
    assert not strided.is_contiguous()
    assert torch.autograd.gradcheck(lambda x: folded_sum(x, table, table.sum(dim=1), 1.0), strided)


def test_no_rows_are_no_loss() -> None:
    assert float(folded_sum(torch.zeros(0, 3), torch.zeros(0, 3), torch.zeros(0), 1.0)) == 0.0
