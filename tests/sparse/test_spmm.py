import importlib.util
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd.sparse import Adjacency, SparseMatrix, spmm
from graphkd.sparse.spmm import available_backends, backend_for, multiply
from tests.sparse.test_matrix import sparse
from tests.strategies import edge_lists, tables

CPU = torch.device("cpu")
DTYPES = st.sampled_from([torch.float32, torch.float64])


@given(table=tables(5, 7), dense=tables(7, 3), dtype=DTYPES)
def test_all_backends_and_both_directions_agree_with_dense(
    table: torch.Tensor, dense: torch.Tensor, dtype: torch.dtype
) -> None:
    table, dense = table.to(dtype), dense.to(dtype)
    matrix = sparse(table)
    for backend in available_backends(CPU):
        torch.testing.assert_close(multiply(matrix, dense, backend), table @ dense)
    ours, theirs = dense.clone().requires_grad_(), dense.clone().requires_grad_()
    upstream = torch.arange(15, dtype=dtype).reshape(5, 3)
    (spmm(matrix, ours) * upstream).sum().backward()
    ((table @ theirs) * upstream).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


@given(edges=edge_lists(6, undirected=True), dense=tables(6, 2))
def test_gradcheck_on_a_symmetric_graph(edges: torch.Tensor, dense: torch.Tensor) -> None:
    operator = Adjacency(edges, 6).normalize("symmetric", dtype=torch.float64)
    assert operator.t() is operator
    assert torch.autograd.gradcheck(lambda x: spmm(operator, x), dense.requires_grad_())


@given(table=tables(5, 7), dense=tables(7, 3), dtype=DTYPES)
def test_the_gradient_of_spmm_is_that_of_every_backend(
    table: torch.Tensor, dense: torch.Tensor, dtype: torch.dtype
) -> None:
    matrix, upstream = sparse(table.to(dtype)), torch.arange(15, dtype=dtype).reshape(5, 3)
    ours = dense.to(dtype).requires_grad_()
    spmm(matrix, ours).backward(upstream)
    for backend in available_backends(CPU):
        torch.testing.assert_close(ours.grad, multiply(matrix.t(), upstream, backend))


def test_torch_scatter_is_a_backend_where_it_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    present = importlib.util.find_spec("torch_scatter") is not None
    assert available_backends(CPU) == ["embedding_bag", "csr", *(["torch_scatter"] if present else [])]
    monkeypatch.setitem(sys.modules, "torch_scatter", None)
    assert available_backends(CPU) == ["embedding_bag", "csr"]


@pytest.mark.parametrize(("there", "expected"), [(True, "triton"), (False, "csr")])
def test_the_rule_that_picks_the_backend(there: bool, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["graphkd.backends"], "has_triton", lambda: there)
    cuda = torch.device("cuda")
    assert backend_for(torch.float32, CPU) == "embedding_bag"
    assert backend_for(torch.bfloat16, CPU) == "embedding_bag"
    assert backend_for(torch.float64, CPU) == "csr"
    assert backend_for(torch.float32, cuda) == expected
    assert ("triton" in available_backends(cuda)) == there


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"cannot multiply \(3, 3\) by \(2, 1\)"):
        spmm(sparse(torch.eye(3)), torch.zeros(2, 1))


def test_a_matrix_without_entries_gives_zeros() -> None:
    empty = SparseMatrix.from_coo(torch.zeros(0).long(), torch.zeros(0).long(), torch.zeros(0), (3, 4))
    assert torch.equal(spmm(empty, torch.ones(4, 2)), torch.zeros(3, 2))
    for backend in available_backends(CPU):
        assert torch.equal(multiply(empty, torch.ones(4, 2), backend), torch.zeros(3, 2))
