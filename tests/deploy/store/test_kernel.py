import numpy as np
import pytest

from graphkd.deploy.store import kernel
from graphkd.deploy.store.kernel import Rows, mixed, place_in
from graphkd.deploy.store.lists import Neighbours


def drawn(seed: int = 0) -> tuple[np.ndarray, Neighbours, np.ndarray, np.ndarray, np.ndarray, Rows]:
    rng = np.random.default_rng(seed)
    counts = np.array([3, 0, 40, 1, 12, 7])
    ids = np.concatenate([np.sort(rng.choice(50, count, replace=False)) for count in counts])
    keys, base = np.array([2, 3, 30]), rng.standard_normal((50, 4)).astype(np.float32)
    rows = Rows(base, keys, rng.standard_normal((3, 4)).astype(np.float32))
    lists = Neighbours(counts, ids, rng.random(ids.size))
    return np.array([4, 7, 30, 9, 0, 2]), lists, rng.random(6), rng.random(6), rng.random(ids.size), rows


@pytest.mark.parametrize("long", [256, 10])
@pytest.mark.parametrize("cells", [2**15, 8, 1])
def test_a_hop_term_by_term_and_its_bits_however_rows_are_grouped(
    long: int, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "LONG", long)
    nodes, lists, diagonal, root, other, rows = drawn()
    whole = mixed(nodes, lists, diagonal, root, other, rows)
    monkeypatch.setattr(kernel, "CELLS", cells)
    np.testing.assert_array_equal(mixed(nodes, lists, diagonal, root, other, rows), whole)
    table = rows.base.astype(float)
    table[rows.keys] = rows.new
    for at, (node, start, count) in enumerate(zip(nodes, lists.starts(), lists.counts, strict=True)):
        expected = diagonal[at] * root[at] * table[node]
        for entry in range(start, start + count):
            if lists.ids[entry] != node:
                expected = expected + lists.weights[entry] * other[entry] * table[lists.ids[entry]]
        np.testing.assert_allclose(whole[at], root[at] * expected, rtol=1e-6, atol=1e-6)


def test_places() -> None:
    assert place_in(np.array([2, 5]), np.array([5, 1, 2, 9])).tolist() == [1, -1, 0, -1]
    assert place_in(np.zeros(0, dtype=int), np.array([5])).tolist() == [-1]
