"""No held-out edge reaches training, and negatives are no edges."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.links.pairs import check_pairs, draw_non_edges, undirected_pairs
from graphkd.links.split import SETTINGS, LinkSplit, split_edges

PARTS = ("train", "val", "test", "shown")


def random_graph(seed: int, num_nodes: int = 40, num_edges: int = 150) -> Tensor:
    draws = torch.Generator().manual_seed(seed)
    return torch.randint(num_nodes, (2, num_edges), generator=draws)


def as_set(pairs: Tensor) -> set[tuple[int, ...]]:
    return {tuple(sorted(pair)) for pair in pairs.tolist()}


@given(seed=st.integers(0, 10**6), setting=st.sampled_from(SETTINGS))
@settings(max_examples=25, deadline=None)
def test_parts_are_disjoint_and_negatives_are_no_edges(seed: int, setting: str) -> None:
    edge_index = random_graph(seed)
    split = split_edges(edge_index, 40, seed, setting)
    edges = {(min(u, v), max(u, v)) for u, v in edge_index.t().tolist() if u != v}
    parts = [as_set(getattr(split, part)) for part in PARTS]
    assert set.union(*parts) == edges
    assert sum(len(part) for part in parts) == len(edges)
    for pairs in (split.val_negative, split.test_negative):
        assert len(as_set(pairs)) == len(pairs)
        assert not as_set(pairs) & edges
        assert bool((pairs[:, 0] != pairs[:, 1]).all())
    assert not as_set(split.val_negative) & as_set(split.test_negative)
    trained = torch.stack([split.adj.matrix.row, split.adj.matrix.col], dim=1)
    assert as_set(trained) == parts[0]
    assert len(trained) == 2 * len(parts[0])
    answered = torch.stack([split.inference_adj.matrix.row, split.inference_adj.matrix.col], dim=1)
    assert as_set(answered) == parts[0] | parts[3]


@given(seed=st.integers(0, 10**6), setting=st.sampled_from(SETTINGS[1:]))
@settings(max_examples=25, deadline=None)
def test_hidden_nodes_stay_out_of_training(seed: int, setting: str) -> None:
    split = split_edges(random_graph(seed), 40, seed, setting)
    observed = set(split.observed.tolist())
    assert len(observed) == 36
    for pairs in (split.train, split.val, split.val_negative):
        assert set(pairs.reshape(-1).tolist()) <= observed
        assert not bool(split.hidden(pairs).any())
    assert bool(split.hidden(split.shown).all())
    assert (len(split.shown) == 0) == (setting == "cold_start")
    parts = [split.hidden(pairs) for pairs in (split.test, split.test_negative)]
    assert parts[0].sum() == parts[1].sum() > 0
    assert all(bool(part.all()) == (setting != "production") for part in parts)
    literal = [not {u, v} <= observed for u, v in split.test.tolist()]
    assert parts[0].tolist() == literal


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_seed_gives_one_split_in_any_order_of_the_edges(setting: str) -> None:
    edges = random_graph(0)
    first, again = split_edges(edges, 40, 3, setting), split_edges(edges.flip(1).flip(0), 40, 3, setting)
    other = split_edges(edges, 40, 4, setting)
    tensors = [field.name for field in dataclasses.fields(LinkSplit) if field.name not in ("num_nodes", "setting")]
    assert all(torch.equal(getattr(first, name), getattr(again, name)) for name in tensors)
    assert not torch.equal(first.train, other.train)
    assert first.setting == setting


def test_all_pairs_without_an_edge_can_be_drawn() -> None:
    edges = undirected_pairs(random_graph(1, 10, 20), 10)
    free = 45 - len(edges)
    drawn = draw_non_edges(edges, 10, free, torch.Generator().manual_seed(0))
    assert len(as_set(drawn)) == free
    with pytest.raises(GraphKDError, match=f"there are {free}: the graph is too dense"):
        draw_non_edges(edges, 10, free + 1, torch.Generator())


RING = torch.stack([torch.arange(30), (torch.arange(30) + 1) % 30])
WRONG = {
    "setting": (
        {"setting": "cold"},
        "links.setting is 'cold': choose transductive or production or inductive or cold_start",
    ),
    "share": ({"val": 1.0}, r"links.val is 1.0: it must lie in \[0, 1\)"),
    "word": ({"test": "many"}, "links.test is many"),
    "seed": ({"seed": -1}, "seed is -1: give a whole number"),
    "no validation": ({"val": 0.0}, "leaves no edge for val"),
    "no test": ({"setting": "inductive", "hidden": 0.0}, "leaves no edge for test"),
    "outside": ({"num_nodes": 20}, "edge_index names nodes 0 to 29"),
    "shape": ({"edge_index": RING[0]}, r"edge_index must be \[2, E\]"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_split_is_one_line(case: str) -> None:
    changed, message = WRONG[case]
    with pytest.raises(GraphKDError, match=message) as caught:
        split_edges(**{"edge_index": RING, "num_nodes": 30, **changed})
    assert "\n" not in str(caught.value)


PAIRS = {
    "outside": ([[0, 5]], "names nodes 0 to 5, but there are nodes 0 to 4"),
    "negative": ([[-1, 2]], "names nodes -1 to 2"),
    "fractions": ([[0.0, 1.0]], "must hold whole numbers, but holds float"),
    "three": ([[0, 1, 2]], r"must be \[P, 2\], one pair a row, but has shape \[1, 3\]"),
    "flat": ([0, 1], r"but has shape \[2\]"),
    "ragged": ([[0, 1], [2]], "is no table of whole numbers"),
    "words": ([["a", "b"]], "is no table of whole numbers"),
    "switches": ([[True, False]], "must hold whole numbers, but holds bool"),
}


@pytest.mark.parametrize("case", PAIRS)
def test_what_is_no_pair_is_one_line(case: str) -> None:
    pairs, message = PAIRS[case]
    with pytest.raises(GraphKDError, match=message) as caught:
        check_pairs(pairs, 5)
    assert "\n" not in str(caught.value)


def test_no_pairs_are_pairs() -> None:
    assert check_pairs([], 5).shape == (0, 2)
