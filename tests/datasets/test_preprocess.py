import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.datasets import Preprocessing
from tests.sparse.test_matrix import sparse
from tests.strategies import tables


@given(x=tables(5, 4), features=st.sampled_from(["stored", "binary"]), row_normalize=st.booleans())
def test_dense_and_sparse_agree_and_twice_is_once(x: torch.Tensor, features: str, row_normalize: bool) -> None:
    steps = Preprocessing(features, row_normalize)
    once = steps(x)
    torch.testing.assert_close(steps(sparse(x)).to_dense(), once)
    torch.testing.assert_close(steps(once), once)
    totals = once.abs().sum(dim=1)
    if row_normalize:
        torch.testing.assert_close(totals[totals > 0], torch.ones_like(totals[totals > 0]))
    if features == "binary" and not row_normalize:
        assert set(once.unique().tolist()) <= {0.0, 1.0}


def test_unknown_features_are_refused() -> None:
    with pytest.raises(GraphKDError, match="dataset.features is 'tfidf': choose stored or binary"):
        Preprocessing("tfidf")


@pytest.mark.parametrize("scale", [1e-45, 1e-30, 1e38])
def test_rows_at_the_ends_of_float32_sum_to_one(scale: float) -> None:
    rows = torch.full((2, 4), scale)
    for x in (Preprocessing(row_normalize=True)(rows), Preprocessing(row_normalize=True)(sparse(rows)).to_dense()):
        torch.testing.assert_close(x, torch.full((2, 4), 0.25))
