from pathlib import Path

import numpy as np
import pytest

from graphkd import GraphKDError
from graphkd.deploy import FeatureStore
from graphkd.deploy.store import build
from graphkd.deploy.store.build import both_ways, check_free

EDGES = np.array([[0, 1, 1, 2], [1, 0, 2, 1]])


@pytest.mark.parametrize(
    ("edges", "weight", "expected"),
    [
        (EDGES, None, True),
        (EDGES[:, :3], None, False),
        (np.concatenate([EDGES, [[0], [1]]], axis=1), None, True),  # a copy counts once
        (EDGES, [1.0, 1.0, 2.0, 2.0], True),
        (EDGES, [1.0, 1.5, 2.0, 2.0], False),
        (np.concatenate([EDGES, [[0], [1]]], axis=1), [1.0, 1.5, 2.0, 2.0, 0.5], True),  # of copies the sum
        (np.array([[2], [2]]), None, True),
        (np.zeros((2, 0), int), None, True),
    ],
)
def test_whether_every_edge_has_its_opposite(edges: np.ndarray, weight: list | None, expected: bool) -> None:
    assert both_ways(3, edges, weight) is expected


def test_blocks_do_not_change_a_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x, edges = rng.standard_normal((20, 3)), rng.integers(0, 20, (2, 60))
    whole = FeatureStore.build(tmp_path / "a", x, edges, hops=3, directed=True)
    monkeypatch.setattr(build, "BLOCK", 3)
    parts = FeatureStore.build(tmp_path / "b", x, edges, hops=3, directed=True)
    np.testing.assert_array_equal(whole.rows(range(20)), parts.rows(range(20)))
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_a_graph_without_nodes_grows(tmp_path: Path) -> None:
    with FeatureStore.build(tmp_path / "s", np.zeros((0, 2)), np.zeros((2, 0), int), hops=2) as store:
        assert (len(store), store.rows([]).shape) == (0, (0, 2))
        first = store.insert_node([1.0, 2.0])
        assert store.insert_node([3.0, 4.0], [first]) == 1
        np.testing.assert_allclose(store.row(1), [(3 + 2 + 2) / 3, (4 + 3 + 3) / 3])
        store.verify()


def test_places_that_will_not_do(tmp_path: Path) -> None:
    with pytest.raises(GraphKDError, match="is there already: delete it, or choose another path"):
        check_free(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(GraphKDError, match="is no folder that can be written to: choose another path"):
        check_free(tmp_path / "file" / "store")
