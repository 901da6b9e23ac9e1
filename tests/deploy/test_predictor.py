import numpy as np
import pytest
import scipy.sparse
import torch

from graphkd import GraphKDError
from graphkd.datasets import Preprocessing
from graphkd.deploy import Predictor, predictor
from graphkd.encoders import Encoding, Propagation
from graphkd.sparse import POOLINGS, Adjacency, propagate
from graphkd.students import MLP
from tests import literal

EDGES = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])


def make(hops: int = 0, row_normalize: bool = True) -> Predictor:
    torch.manual_seed(0)
    steps = Preprocessing(row_normalize=row_normalize), Encoding((Propagation(hops, 1),))
    return Predictor(MLP(4, 6, 3).eval(), 4, *steps, None, {})


def test_every_form_of_rows_gives_the_same_answer() -> None:
    model, x = make(), np.abs(np.random.RandomState(0).randn(3, 4)).astype(np.float32)
    expected = model.predict_proba(x)
    assert expected.shape == (3, 3)
    np.testing.assert_allclose(expected.sum(axis=1), 1, rtol=1e-6)
    for rows in (torch.from_numpy(x), scipy.sparse.csr_matrix(x), torch.from_numpy(x).to_sparse_csr(), x.tolist()):
        np.testing.assert_allclose(model.predict_proba(rows), expected, rtol=1e-5)
    assert model.predict(x).tolist() == expected.argmax(axis=1).tolist()


def test_batches_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = make(), torch.rand(10, 4)
    whole = model.predict_proba(x)
    monkeypatch.setattr(predictor, "BATCH", 3)
    np.testing.assert_allclose(model.predict_proba(x), whole, rtol=1e-5)


def test_a_student_with_hops_must_be_told_which_rows_it_gets() -> None:
    model, x = make(hops=2), torch.rand(3, 4)
    with pytest.raises(GraphKDError, match="features propagated over 2 hops: pass edge_index="):
        model.predict(x)
    rows = model.prepare(x, EDGES)
    expected = literal.mean_pooled(x / x.sum(dim=1, keepdim=True), EDGES, 2, 1)
    torch.testing.assert_close(rows.double(), expected, atol=1e-6, rtol=1e-5)
    np.testing.assert_array_equal(
        model.predict_proba(rows, propagated=True), model.predict_proba(x, edge_index=EDGES)
    )


@pytest.mark.parametrize("pooling", POOLINGS)
def test_rows_are_pooled_as_the_student_was_trained(pooling: str) -> None:
    propagation, x = Encoding((Propagation(2, 2, pooling=pooling),)), torch.randn(3, 4)
    width = propagation.width(4)
    model = Predictor(MLP(width, 6, 3).eval(), 4, Preprocessing(), propagation, None, {})
    rows = model.prepare(x, EDGES)
    torch.testing.assert_close(rows.double(), literal.pooled(x, EDGES, 2, 2, pooling), atol=1e-6, rtol=1e-5)
    np.testing.assert_array_equal(model.predict_proba(rows, propagated=True), model.predict_proba(x, EDGES))
    with pytest.raises(GraphKDError, match=rf"x must be \[rows, {width}\], but has shape \[3, 5\]"):
        model.predict(torch.ones(3, 5), propagated=True)
    with pytest.raises(GraphKDError, match=r"x must be \[rows, 4\], but has shape \[3, 5\]"):
        model.predict(torch.ones(3, 5), EDGES)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (torch.rand(3, 5), r"x must be \[rows, 4\], but has shape \[3, 5\]"),
        (torch.rand(4), r"x must be \[rows, 4\], but has shape \[4\]"),
        (torch.full((1, 4), float("nan")), "x holds NaN or infinite values"),
    ],
)
def test_rows_that_cannot_be_right(rows: torch.Tensor, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        make().predict(rows)


def test_a_graph_with_weights_is_served_with_its_weights() -> None:
    steps = Preprocessing(), Encoding((Propagation(2, 1, weighted=True),))
    model, x, weight = Predictor(MLP(4, 6, 3).eval(), 4, *steps, None, {}), torch.rand(3, 4), torch.rand(4)
    expected = propagate(x, Adjacency(EDGES, 3, weight), 2)
    torch.testing.assert_close(model.prepare(x, EDGES, weight), expected)
    assert model.predict(x, EDGES, edge_weight=weight).shape == (3,)
    with pytest.raises(GraphKDError, match="trained on a graph with edge weights"):
        model.predict(x, EDGES)
    with pytest.raises(GraphKDError, match="trained on a graph without edge weights"):
        make(hops=2).predict(x, EDGES, edge_weight=weight)


def test_no_rows_are_no_answers() -> None:
    assert make().predict(torch.zeros(0, 4)).shape == (0,)


NO_EDGES = {
    "ragged": [[0, 1], [1]],
    "gaps": [[None], [0]],
    "beyond all integers": [[10**30], [0]],
    "texts": [["a"], ["b"]],
    "objects": np.array([[0, "a"], [1, 2]], dtype=object),
    "floats": [[0.0], [1.0]],
    "flat": [0, 1],
    "below": [[-1], [0]],
    "outside": [[2**40], [0]],
    "a set": {0, 1},
    "large integers": np.array([[2**63], [0]], dtype=np.uint64),
}


@pytest.mark.parametrize("case", NO_EDGES)
def test_edges_that_are_none_are_one_line(case: str) -> None:
    with pytest.raises(GraphKDError, match="edge_index"):
        make(hops=1).predict_proba(np.ones((4, 4), np.float32), NO_EDGES[case])
