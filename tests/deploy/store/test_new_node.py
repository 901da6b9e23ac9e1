from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkd.deploy import FeatureStore
from graphkd.deploy.store import disk
from tests.deploy.store import graphs


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk.os, "fsync", lambda handle: None)


@settings(max_examples=25)
@given(graphs.settings(), st.integers(1, 9), st.integers(0, 2**31))
def test_a_newcomer_has_the_row_it_would_have_where_that_is_promised(chosen: dict, size: int, seed: int) -> None:
    twin, rng = graphs.Twin(size, chosen, seed), np.random.default_rng(seed)
    others = rng.permutation(size)[:3].tolist()
    weights = rng.integers(1, 4, len(others)).astype(float) if twin.weighted else None
    linked = any(a in others and b in others and a != b for a, b in twin.edges)
    exact = chosen["directed"] or chosen["hops"] < 2 or (chosen["hops"] == 2 and not linked)
    x = graphs.drawn_rows(rng, 1)[0]
    with TemporaryDirectory() as folder, twin.build(Path(folder) / "s") as store:
        row, before = store.row_for(x, others, weights), store.rows(range(size))
        assert row.shape == (store.settings.width,)
        np.testing.assert_array_equal(store.rows(range(size)), before)  # nothing came in
        node = store.insert_node(x, others, weights)
        if exact:
            np.testing.assert_allclose(row, store.row(node), rtol=0, atol=2e-6)


def test_the_formula_entry_by_entry(tmp_path: Path) -> None:
    """A triangle's corner joins the other two: the one case in which two hops are off, by what is left out."""
    x = np.array([[1.0, -2.0], [3.0, 0.5], [0.25, 4.0]])
    store = FeatureStore.build(tmp_path / "s", x[:2], [[0, 1], [1, 0]], hops=2, pooling="concat")
    r_new, r_old, d_old = 1 / np.sqrt(3), 1 / np.sqrt(2), 2.0
    stored_1 = [(x[0] + x[1]) / d_old] * 2
    h = [x[2], r_new * (r_new * x[2] + r_new * x[0] + r_new * x[1])]
    g = []
    for j in range(2):
        others = stored_1[j] / r_old - r_old * x[j]
        g.append(r_new * (r_new * x[j] + others + r_new * x[2]))
    h.append(r_new * (r_new * h[1] + r_new * g[0] + r_new * g[1]))
    np.testing.assert_allclose(store.row_for(x[2], [0, 1]), np.concatenate(h), rtol=1e-6)
    exact = store.row(store.insert_node(x[2], [0, 1]))
    np.testing.assert_allclose(exact[:4], np.concatenate(h)[:4], rtol=1e-6)
    assert np.abs(exact[4:] - h[2]).max() > 0.01


def test_a_node_without_neighbours(tmp_path: Path) -> None:
    for loops, expected in ((1, [3.0, 6.0]), (0, [1.0, 2.0])):
        store = FeatureStore.build(tmp_path / str(loops), np.eye(2), [[0, 1], [1, 0]], hops=2, self_loops=loops)
        np.testing.assert_allclose(store.row_for([3.0, 6.0]), expected)
