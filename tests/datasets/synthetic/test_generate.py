from dataclasses import replace

import numpy as np
import pytest
import torch

from graphkd import GraphKDError, load_dataset
from graphkd.datasets import Graph
from graphkd.datasets.synthetic import ARXIV, PAPERS100M, PRODUCTS, generate
from graphkd.system import Memory

SMALL = {"arxiv": 0.01, "products": 0.001, "papers100M": 0.0001}
PLANS = {"arxiv": ARXIV, "products": PRODUCTS, "papers100M": PAPERS100M}


@pytest.mark.parametrize("name", SMALL)
def test_the_counts_are_exact_and_nothing_is_there_twice(name: str) -> None:
    plan = replace(PLANS[name], num_features=4).at(SMALL[name])
    data = generate(plan)
    nodes, edges = plan.num_nodes, data.edge_index
    assert edges.shape[1] == plan.num_edges * (1 if plan.directed else 2)
    assert torch.unique(edges[0] * nodes + edges[1]).numel() == edges.shape[1]
    assert not bool((edges[0] == edges[1]).any())
    assert (int(edges.min()) >= 0, int(edges.max()) < nodes) == (True, True)
    backwards = set(zip(*edges.flip(0).tolist(), strict=True)) == set(zip(*edges.tolist(), strict=True))
    assert backwards == (not plan.directed)
    masks = [data.train_mask, data.val_mask, data.test_mask]
    for mask, share in zip(masks, plan.shares, strict=True):
        assert abs(int(mask.sum()) - share * nodes) <= 1
    inside = masks[0] | masks[1] | masks[2]
    assert int(sum(mask.sum() for mask in masks)) == int(inside.sum())
    assert torch.equal(data.y >= 0, inside)


def test_degrees_and_classes_are_uneven_and_neighbours_are_alike() -> None:
    data = generate(replace(ARXIV, label_noise=0.0, shares=(0.5, 0.2, 0.3)).at(0.05))
    degree = torch.bincount(data.edge_index.reshape(-1), minlength=data.num_nodes)
    assert int(degree.max()) > 30 * float(degree.float().median())
    sizes = torch.bincount(data.y)
    assert int(sizes.min()) >= 3
    assert int(sizes.max()) > 10 * int(sizes.min())
    same = data.y[data.edge_index[0]] == data.y[data.edge_index[1]]
    by_chance = float(((sizes / sizes.sum()) ** 2).sum())
    expected = ARXIV.homophily + (1 - ARXIV.homophily) * by_chance
    assert float(same.float().mean()) == pytest.approx(expected, abs=0.04)


def test_the_same_seed_is_the_same_graph() -> None:
    plan = ARXIV.at(0.005)
    one, same, other = generate(plan), generate(plan), generate(plan, seed=1)
    assert all(torch.equal(one[part], same[part]) for part in ("x", "edge_index", "y", "train_mask"))
    assert not torch.equal(one.edge_index[:, :100], other.edge_index[:, :100])


def test_neighbours_say_more_than_a_node_s_own_row() -> None:
    """Nearest class mean, of rows and of rows averaged over neighbours: no network is needed to see it."""
    data = load_dataset("synthetic-arxiv", scale=0.03)
    sender, receiver = data.edge_index
    mixed = data.x.clone().index_add_(0, receiver, data.x[sender])
    mixed /= (1 + torch.bincount(receiver, minlength=data.num_nodes)).unsqueeze(1)
    scores = []
    for x in (data.x, mixed):
        known = data.y[data.train_mask]
        count = torch.bincount(known, minlength=40).unsqueeze(1)
        mean = torch.zeros(40, 128).index_add_(0, known, x[data.train_mask]) / count
        nearest = torch.cdist(x[data.test_mask], mean).argmin(dim=1)
        scores.append(float((nearest == data.y[data.test_mask]).float().mean()))
    assert scores[1] > scores[0] + 0.05


def test_by_name_the_run_s_seed_changes_nothing_and_the_scale_is_on_record() -> None:
    one, two = (load_dataset("synthetic-arxiv", scale=0.01, seed=seed) for seed in (0, 1))
    assert all(torch.equal(one[part], two[part]) for part in ("x", "edge_index", "y", "test_mask"))
    graph = Graph.from_data(one)
    assert (graph.dataset, graph.split, graph.num_classes) == ("synthetic-arxiv-0.01", "ogb", 40)
    assert one.num_nodes == 1693
    directed = load_dataset("synthetic-arxiv", scale=0.01, directed=True)
    assert directed.num_edges == 11_662


@pytest.mark.parametrize("scale", [0, -1.0, 1.5, float("nan"), True, "all"])
def test_what_is_no_scale(scale) -> None:
    with pytest.raises(
        GraphKDError, match=r"dataset.scale is .*: it must be a number greater than 0 and at most 1"
    ):
        load_dataset("synthetic-arxiv", scale=scale)


def test_a_scale_without_a_meaning() -> None:
    with pytest.raises(
        GraphKDError, match="dataset.scale is 0.1, but digits has the size that it has: leave it out"
    ):
        load_dataset("digits", scale=0.1)
    with pytest.raises(
        GraphKDError, match=r"dataset.scale is 1e-05, which leaves 2 nodes .*: choose at least 0.0024"
    ):
        load_dataset("synthetic-arxiv", scale=0.00001)


def test_more_than_memory_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphkd.datasets.synthetic._generate.memory", lambda: Memory(10**9, 10**9))
    with pytest.raises(GraphKDError, match="a graph of 111,059,956 nodes takes at least .*: choose a smaller"):
        load_dataset("synthetic-papers100M")


@pytest.mark.slow
def test_arxiv_at_its_true_size() -> None:
    data = load_dataset("synthetic-arxiv", directed=True)
    assert (data.num_nodes, data.num_edges, *data.x.shape[1:]) == (169_343, 1_166_243, 128)
    assert np.unique(data.y).size == 40
