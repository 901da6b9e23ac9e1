import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkd.sparse import SparseMatrix, edge_products, edge_scores, spmm, spmm_edges
from tests import literal
from tests.sparse.test_matrix import sparse
from tests.strategies import patterns, seeded, tables


def tensor(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


@given(
    pattern=patterns(5, 4),
    heads=st.sampled_from([1, 3]),
    seed=st.integers(0, 99),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_product_equals_the_loop_in_value_and_both_gradients(
    pattern: SparseMatrix, heads: int, seed: int, dtype: torch.dtype
) -> None:
    inputs = [tensor(seed, pattern.nnz, heads), tensor(seed + 1, 4, heads, 2)]
    ours = [part.to(dtype).requires_grad_() for part in inputs]
    theirs = [part.requires_grad_() for part in inputs]
    upstream = tensor(seed + 2, 5, heads, 2)
    out = spmm_edges(pattern, *ours)
    expected = literal.edge_product(pattern.row, pattern.col, *theirs, 5)
    torch.testing.assert_close(out, expected.to(dtype), atol=1e-5, rtol=1e-5)
    out.backward(upstream.to(dtype))
    unused = sum(part.sum() for part in theirs)  # a loop over no entries does not reach its inputs
    ((expected * upstream).sum() + 0 * unused).backward()
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.grad, other.grad.to(dtype), atol=1e-5, rtol=1e-5)


@settings(max_examples=4)
@given(pattern=patterns(4, 3), seed=st.integers(0, 99))
def test_gradcheck(pattern: SparseMatrix, seed: int) -> None:
    value, dense = tensor(seed, pattern.nnz, 2).requires_grad_(), tensor(seed, 3, 2, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda v, d: spmm_edges(pattern, v, d), (value, dense))
    receiver, sender = tensor(seed, 4, 2).requires_grad_(), tensor(seed, 3, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda r, s: edge_scores(pattern, r, s), (receiver, sender))
    receiver, sender = tensor(seed, 4, 2, 2).requires_grad_(), tensor(seed, 3, 2, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda r, s: edge_products(pattern, r, s), (receiver, sender))


@given(table=tables(5, 4), dense=tables(4, 3))
def test_with_the_matrix_own_values_it_is_spmm(table: torch.Tensor, dense: torch.Tensor) -> None:
    matrix = sparse(table)
    product = spmm_edges(matrix, matrix.value.unsqueeze(1), dense.unsqueeze(1)).squeeze(1)
    torch.testing.assert_close(product, spmm(matrix, dense))


@given(pattern=patterns(5, 4), seed=st.integers(0, 99))
def test_scores_are_sums_over_both_ends(pattern: SparseMatrix, seed: int) -> None:
    receiver, sender = tensor(seed, 5, 2), tensor(seed + 1, 4, 2)
    expected = [receiver[i] + sender[j] for i, j in zip(pattern.row.tolist(), pattern.col.tolist(), strict=True)]
    assert torch.equal(edge_scores(pattern, receiver, sender), torch.stack([*expected, receiver[0]])[:-1])


@given(pattern=patterns(5, 4), seed=st.integers(0, 99))
def test_products_are_those_of_both_ends(pattern: SparseMatrix, seed: int) -> None:
    receiver, sender = tensor(seed, 5, 2, 3), tensor(seed + 1, 4, 2, 3)
    found = edge_products(pattern, receiver, sender)
    assert found.shape == (pattern.nnz, 2)
    for entry, (i, j) in enumerate(zip(pattern.row.tolist(), pattern.col.tolist(), strict=True)):
        for head in range(2):
            expected = sum(float(receiver[i, head, c] * sender[j, head, c]) for c in range(3))
            assert float(found[entry, head]) == pytest.approx(expected, abs=1e-12)


def test_only_the_gradients_that_are_asked_for() -> None:
    pattern = sparse(torch.eye(3))
    value, dense = torch.ones(3, 1), torch.ones(3, 1, 2)
    for grown in (value, dense):
        grown.requires_grad_()
        spmm_edges(pattern, value, dense).sum().backward()
        assert grown.grad is not None
        grown.requires_grad_(False)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"cannot multiply .* with values \[3, 2\] by \[3, 1, 2\]"):
        spmm_edges(sparse(torch.eye(3)), torch.zeros(3, 2), torch.zeros(3, 1, 2))
