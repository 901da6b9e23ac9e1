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
from graphkd.influence._cosine import PropagatedCosine
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


@given(edges=edge_lists(7), x=tables(7, 4), columns=st.integers(0, 7))
def test_sums_over_the_first_columns_keep_the_minimum_of_all(
    edges: torch.Tensor, x: torch.Tensor, columns: int
) -> None:
    ours = infgrand(x, edges, self_loops=2, columns=columns)
    torch.testing.assert_close(ours.double(), literal.influence(x, edges, 2, 2, columns), atol=1e-6, rtol=0)


def test_the_blocked_search_gives_the_same_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    edges = torch.randint(40, (2, 100), generator=torch.Generator().manual_seed(1))
    whole = infgrand(x, edges)
    for size in (1, 7 * 8 * 40):
        monkeypatch.setattr(_cosine, "BLOCK_BYTES", size)
        torch.testing.assert_close(infgrand(x, edges), whole, atol=1e-7, rtol=0)


def test_an_orthogonal_pair_ends_the_search_for_non_negative_features(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.eye(200)
    cosine = PropagatedCosine(x, Adjacency(torch.zeros(2, 0).long(), 200).normalize(dtype=torch.float64), 2)
    calls = []
    search = cosine._block_minimum
    monkeypatch.setattr(cosine, "_block_minimum", lambda rows: calls.append(rows) or search(rows))
    assert cosine.minimum() == 0.0
    assert [len(rows) for rows in calls] == [_cosine.PROBES]


def test_the_search_over_all_pairs_makes_nothing_of_size_n_by_n() -> None:
    """12,000 nodes with signed features: one N × N table would take 576 MB in float32."""
    setup = """
import torch
from graphkd.influence import infgrand
torch.set_num_threads(2)
x = torch.randn(12_000, 8)
edges = torch.stack([torch.arange(11_999), torch.arange(1, 12_000)])
infgrand(x[:50], edges[:, :49])
"""
    assert peak_growth(setup, "assert infgrand(x, edges).shape == (12_000,)") < 200e6


def test_a_small_graph_is_searched_in_strips_too(monkeypatch: pytest.MonkeyPatch) -> None:
    x, widths = torch.randn(700, 3), []
    search = _cosine.PropagatedCosine._block_minimum
    monkeypatch.setattr(
        _cosine.PropagatedCosine,
        "_block_minimum",
        lambda self, rows: widths.append(len(rows)) or search(self, rows),
    )
    infgrand(x, torch.tensor([[0], [1]]))
    assert widths == [256, 256, 188]


def test_negative_edge_weights_end_no_search() -> None:
    adj = Adjacency(torch.tensor([[0, 1], [1, 0]]), 3, torch.tensor([-0.5, -0.5]))
    cosine = PropagatedCosine(torch.eye(3), adj.normalize("none", 0, torch.float64), 1)
    assert cosine.minimum() == -1.0


@pytest.mark.parametrize(
    ("x", "edges", "message"),
    [
        (torch.full((2, 2), float("nan")), torch.zeros(2, 0).long(), "x holds NaN or infinite values"),
        (torch.ones(2), torch.zeros(2, 0).long(), r"x must be \[rows, features\]"),
        (torch.ones(2, 2), Adjacency(torch.zeros(2, 0).long(), 3), "x has 2 rows, but the graph has 3 nodes"),
        (torch.ones(2, 2), np.zeros((2, 0)), "edge_index must be a tensor of whole numbers, but is ndarray"),
    ],
)
def test_inputs_that_cannot_be_right(x: torch.Tensor, edges: object, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        infgrand(x, edges)


def test_equal_features_give_ones() -> None:
    assert torch.equal(infgrand(torch.ones(3, 2), torch.zeros(2, 0).long()), torch.ones(3))


def test_the_variant_sets_the_self_loops() -> None:
    x, edges = torch.rand(6, 3), torch.tensor([[0, 1, 2], [1, 2, 0]])
    assert torch.equal(infgrand(x, edges, variant="reference"), infgrand(x, edges, self_loops=2))
    assert torch.equal(infgrand(x, edges), infgrand(x, edges, self_loops=1))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"variant": "old"}, "variant 'old'"),
        ({"hops": -1}, "influence has hops -1"),
        ({"self_loops": -1}, "self_loops -1"),
        ({"columns": 3}, "influence.columns is 3: it must be a whole number from 0 to 2"),
    ],
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
