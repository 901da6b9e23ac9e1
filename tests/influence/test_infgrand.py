from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd import GraphKDError, load_dataset
from graphkd.datasets import Preprocessing
from graphkd.influence import infgrand
from graphkd.influence.certificate import infgrand_interval
from graphkd.sparse import Adjacency, as_features
from tests import literal
from tests.memory import peak_growth
from tests.sparse.test_matrix import sparse
from tests.strategies import edge_lists, seeded, tables

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


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", [lambda x: x, sparse])
def test_memory_does_not_change_the_result(dtype: torch.dtype, kind: Callable[[torch.Tensor], object]) -> None:
    x = torch.randn(40, 5, generator=seeded(0), dtype=dtype)
    edges = torch.randint(40, (2, 100), generator=seeded(1))
    whole = infgrand(kind(x), edges)
    for memory in (1e-9, 1e-5, 3e-5):
        torch.testing.assert_close(infgrand(kind(x), edges, max_memory_gb=memory), whole, atol=1e-7, rtol=0)


@pytest.mark.slow
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
    run = "assert infgrand(x, edges, max_memory_gb=0.05).shape == (12_000,)"
    assert peak_growth(setup, run) < 120e6


@pytest.mark.parametrize("scale", [1e-42, 1e-30, 1e30, 1e38])
def test_the_size_of_features_does_not_matter(scale: float) -> None:
    """Down to where float32 has few digits, and up to where its sums overflow."""
    x = torch.randint(-3, 4, (12, 3), generator=seeded(2)).float()
    x[0] = 1.0
    edges = torch.randint(12, (2, 30), generator=seeded(1))
    torch.testing.assert_close(
        infgrand(x * scale, edges), infgrand(x, edges), atol=1e-2 if scale < 1e-40 else 1e-6, rtol=0
    )


def test_too_little_time_is_said_and_gives_the_middle() -> None:
    x, edges = torch.randn(30, 4, generator=seeded(0)), torch.tensor([[0, 1], [1, 2]])
    with pytest.warns(UserWarning, match=r"max_seconds=0 ended .* in \[-1.0000, -0.\d+\].* within ±0.\d+$"):
        ours = infgrand(x, edges, max_seconds=0)
    found = infgrand_interval(x, edges, max_seconds=0)
    assert torch.equal(ours, (found.low + found.high) / 2)


def test_enough_time_is_not_mentioned(recwarn: pytest.WarningsRecorder) -> None:
    x, edges = torch.randn(30, 4, generator=seeded(0)), torch.tensor([[0, 1], [1, 2]])
    assert torch.equal(infgrand(x, edges, max_seconds=60), infgrand(x, edges))
    assert not recwarn.list


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
        ({"max_seconds": -1.0}, "influence.max_seconds is -1.0: it must be a number from 0"),
        ({"max_seconds": "3"}, "influence.max_seconds is '3'"),
        ({"max_seconds": float("inf")}, "influence.max_seconds is inf"),
        ({"max_memory_gb": 0}, "influence.max_memory_gb is 0: it must be a number above 0"),
        ({"max_memory_gb": True}, "influence.max_memory_gb is True"),
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
