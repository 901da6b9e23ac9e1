from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd import GraphKDError, load_dataset
from graphkd.datasets import Preprocessing
from graphkd.influence import _cosine, infgrand
from graphkd.sparse import Adjacency, as_features
from tests import literal
from tests.memory import peak_growth
from tests.sparse.test_matrix import sparse
from tests.strategies import edge_lists, tables

PUBLISHED = Path(__file__).parent / "published"


@given(edges=edge_lists(7), x=tables(7, 4), hops=st.integers(0, 3), loops=st.sampled_from([1, 2]))
def test_closed_form_equals_the_double_loop_on_signed_features(
    edges: torch.Tensor, x: torch.Tensor, hops: int, loops: int
) -> None:
    expected = literal.influence(x, edges, hops, loops)
    for features in (x, sparse(x)):
        ours = infgrand(features, edges, hops=hops, self_loops=loops)
        torch.testing.assert_close(ours.double(), expected, atol=1e-6, rtol=0)


@given(edges=edge_lists(7), x=tables(7, 4, low=0.0), hops=st.integers(0, 3))
def test_closed_form_equals_the_double_loop_on_non_negative_features(
    edges: torch.Tensor, x: torch.Tensor, hops: int
) -> None:
    ours = infgrand(x, edges, hops=hops, self_loops=1)
    torch.testing.assert_close(ours.double(), literal.influence(x, edges, hops, 1), atol=1e-6, rtol=0)


def test_the_blocked_search_gives_the_same_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    edges = torch.randint(40, (2, 100), generator=torch.Generator().manual_seed(1))
    whole = infgrand(x, edges)
    for size in (1, 7 * 8 * 40):
        monkeypatch.setattr(_cosine, "BLOCK_BYTES", size)
        torch.testing.assert_close(infgrand(x, edges), whole, atol=1e-7, rtol=0)


def test_an_orthogonal_pair_ends_the_search_for_non_negative_features(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.eye(200)
    cosine = _cosine.PropagatedCosine(
        x, Adjacency(torch.zeros(2, 0).long(), 200).normalize(dtype=torch.float64), 2
    )
    calls = []
    search = cosine._block_minimum
    monkeypatch.setattr(cosine, "_block_minimum", lambda rows: calls.append(rows) or search(rows))
    assert cosine.minimum() == 0.0
    assert [len(rows) for rows in calls] == [_cosine.PROBES]


def test_nothing_of_size_n_by_n_is_made() -> None:
    """50,000 nodes: one N × N table alone would take 10 GB in float32."""
    setup = """
import torch
from graphkd.influence import infgrand
from graphkd.sparse import spmm
x = torch.rand(50_000, 16) + torch.eye(16).repeat(3125, 1)
x[0], x[1] = torch.eye(16)[0], torch.eye(16)[1]
edges = torch.stack([torch.arange(2, 49_999), torch.arange(3, 50_000)])
"""
    assert peak_growth(setup, "assert infgrand(x, edges).shape == (50_000,)") < 10**9


def test_equal_features_give_ones() -> None:
    assert torch.equal(infgrand(torch.ones(3, 2), torch.zeros(2, 0).long()), torch.ones(3))


def test_the_variant_sets_the_self_loops() -> None:
    x, edges = torch.rand(6, 3), torch.tensor([[0, 1, 2], [1, 2, 0]])
    assert torch.equal(infgrand(x, edges, variant="reference"), infgrand(x, edges, self_loops=2))
    assert torch.equal(infgrand(x, edges), infgrand(x, edges, self_loops=1))


@pytest.mark.parametrize(
    ("keys", "message"), [({"variant": "old"}, "variant 'old'"), ({"hops": -1}, "hops is -1")]
)
def test_bad_settings_are_refused(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        infgrand(torch.ones(2, 2), torch.zeros(2, 0).long(), **keys)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cora", "pubmed"])
def test_published_vectors_of_planetoid(name: str, data_dir: Path) -> None:
    data = load_dataset(name, data_dir, download="never")
    x = Preprocessing(row_normalize=True)(as_features(data.x))
    ours = infgrand(x, data.edge_index, hops=2, variant="reference")
    assert np.abs(ours.numpy() - published(name)).max() < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("amazon-photo", "Amazon/Photo/raw/amazon_electronics_photo.npz"),
        ("coauthor-cs", "Coauthor/CS/raw/ms_academic_cs.npz"),
    ],
)
def test_published_vectors_of_amazon_and_coauthor(name: str, file: str, data_dir: Path) -> None:
    with np.load(data_dir / file, allow_pickle=False) as raw:
        parts = {
            kind: scipy.sparse.csr_matrix(
                (raw[f"{kind}_data"], raw[f"{kind}_indices"], raw[f"{kind}_indptr"]), shape=raw[f"{kind}_shape"]
            )
            for kind in ("adj", "attr")
        }
    edges = parts["adj"].tocoo()
    pairs = torch.from_numpy(np.stack([edges.row, edges.col])).long()
    ours = infgrand(parts["attr"], torch.cat([pairs, pairs.flip(0)], dim=1), hops=2, variant="reference")
    assert np.abs(ours.numpy() - published(name)).max() < 1e-6


def published(name: str) -> np.ndarray:
    return np.load(PUBLISHED / f"influence_{name}.npy").reshape(-1)
