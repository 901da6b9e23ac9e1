from __future__ import annotations

import numpy as np
import pytest
import torch

from graphkd.positions.graph import Undirected
from graphkd.positions.noise import Noise, visits
from graphkd.positions.walks import Walker
from graphkd.sparse import Adjacency
from tests.positions.graphs import dense, random_graph, two_parts

DRAWN = 40_000


def literal(matrix: np.ndarray, before: int | None, node: int, p: float, q: float) -> np.ndarray:
    """Probabilities of the next node, as node2vec's paper prints them."""
    chance = np.zeros(len(matrix))
    for after in range(len(matrix)):
        factor = 1.0
        if before is not None:
            if after == before:
                factor = 1.0 / p
            elif not matrix[before, after]:
                factor = 1.0 / q
        chance[after] = factor * matrix[node, after]
    return chance / chance.sum()


def near(counts: np.ndarray, chance: np.ndarray) -> None:
    """Counts are within 4.5 standard deviations of what is expected, and 0 where nothing is."""
    total = counts.sum()
    assert not counts[chance == 0].any()
    assert (np.abs(counts - total * chance) <= 4.5 * np.sqrt(total * chance * (1 - chance)) + 1e-9).all()


@pytest.mark.parametrize("weighted", [False, True])
def test_first_steps_are_in_proportion_to_weights(weighted: bool) -> None:
    adj = random_graph(12, 0.4, weighted)
    matrix, walker = dense(adj), Walker(Undirected.of(adj))
    for node in (0, 3, 10):
        steps = walker.walks(np.full(DRAWN, node), 2, np.random.default_rng(0))
        near(np.bincount(steps[:, 1], minlength=12), literal(matrix, None, node, 1.0, 1.0))


@pytest.mark.parametrize(("p", "q"), [(0.25, 4.0), (4.0, 0.25), (0.5, 0.5), (2.0, 3.0), (0.05, 1.0)])
@pytest.mark.parametrize("weighted", [False, True])
def test_second_steps_have_node2vecs_probabilities(p: float, q: float, weighted: bool) -> None:
    adj = random_graph(10, 0.5, weighted)
    matrix, walker = dense(adj), Walker(Undirected.of(adj), p, q)
    walks = walker.walks(np.full(DRAWN, 0), 4, np.random.default_rng(1))
    for step in (2, 3):  # the third step reads the weight of an edge that the second one chose
        for before in range(10):
            for node in range(10):
                mine = walks[(walks[:, step - 2] == before) & (walks[:, step - 1] == node), step]
                if mine.size > 50:
                    near(np.bincount(mine, minlength=10), literal(matrix, before, node, p, q))


def test_walks_follow_edges_and_stay_in_their_component() -> None:
    adj = two_parts()
    matrix, walker = dense(adj), Walker(Undirected.of(adj), 0.5, 2.0)
    walks = walker.walks(np.array([0, 4, 5, 7] * 50), 9, np.random.default_rng(0))
    assert walks.shape == (200, 9)
    assert matrix[walks[:, :-1], walks[:, 1:]].all()


def test_weights_of_very_different_rows_keep_their_digits() -> None:
    edges = torch.tensor([[0, 2, 2], [1, 3, 4]])
    adj = Adjacency(edges, 5, torch.tensor([1e30, 1e-20, 3e-20]))
    walks = Walker(Undirected.of(adj)).walks(np.full(DRAWN, 2), 2, np.random.default_rng(0))
    near(np.bincount(walks[:, 1], minlength=5), np.array([0, 0, 0, 0.25, 0.75]))


def test_expected_visits_are_sums_of_dense_powers() -> None:
    adj = random_graph(weighted=True)
    matrix = dense(adj)
    strength = matrix.sum(axis=1, keepdims=True)
    chance = np.divide(matrix, strength, out=np.zeros_like(matrix), where=strength > 0)
    here = (strength[:, 0] > 0).astype(float)
    expected = here.copy()
    for _ in range(6):
        here = here @ chance
        expected += here
    np.testing.assert_allclose(visits(Undirected.of(adj), 7), expected, rtol=1e-12)


def test_negative_samples_are_in_proportion_to_the_power_three_quarters_of_visits() -> None:
    expected = np.array([1.0, 0.0, 16.0, 81.0, 0.0])
    drawn = Noise(expected).draw((200, 200), np.random.default_rng(0))
    chance = expected**0.75 / 36.0  # 1 + 8 + 27
    for column in (0, 199):  # shuffled: places do not matter
        near(np.bincount(drawn[:, column], minlength=5), chance)
    near(np.bincount(drawn.reshape(-1), minlength=5), chance)
