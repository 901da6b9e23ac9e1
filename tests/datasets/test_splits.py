import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.datasets.splits import cpf_split, fractions_split, random_split

Y = torch.arange(2000) % 4


def test_counts_per_class_and_no_overlap() -> None:
    train, val, test = random_split(Y, seed=0)
    assert torch.bincount(Y[train]).tolist() == [20] * 4
    assert (int(val.sum()), int(test.sum())) == (500, 1000)
    assert int((train | val | test).sum()) == 1580


def test_the_seed_decides() -> None:
    assert torch.equal(random_split(Y, 1)[0], random_split(Y, 1)[0])
    assert not torch.equal(random_split(Y, 1)[0], random_split(Y, 2)[0])


def test_unlabelled_nodes_are_never_drawn() -> None:
    y = Y.clone()
    y[:300] = -1
    assert not any(mask[:300].any() for mask in random_split(y, 0))


def test_too_few_nodes() -> None:
    with pytest.raises(GraphKDError, match="only 20 labelled nodes are left"):
        random_split(torch.arange(100) % 4, 0)


def test_the_draw_for_a_seed_is_as_it_was() -> None:
    train, val, test = random_split(Y, seed=7)
    ids = [int(mask.nonzero().sum()) for mask in (train, val, test)]
    assert ids == [83716, 481445, 1014581]


LABELS = st.lists(st.integers(-1, 3), min_size=1, max_size=60).map(torch.tensor)


@given(y=LABELS, seed=st.integers(0, 2**32 - 1))
def test_cpf_draws_what_the_published_loop_draws(y: torch.Tensor, seed: int) -> None:
    counts = [y.tolist().count(c) for c in range(int(y.max()) + 1)]
    if not counts or min(counts) < 5 or sum(counts) == 5 * len(counts):
        with pytest.raises(GraphKDError, match="split=cpf"):
            cpf_split(y, seed, per_class=2, val_per_class=3)
        return
    train, val, test = cpf_split(y, seed, per_class=2, val_per_class=3)
    rng, drawn = np.random.RandomState(seed), [set(), set()]
    for part, count in zip(drawn, (2, 3), strict=True):
        before = set().union(*drawn)
        for c in range(len(counts)):
            free = [node for node, label in enumerate(y.tolist()) if label == c and node not in before]
            part.update(rng.choice(free, count, replace=False).tolist())
    labelled = {node for node, label in enumerate(y.tolist()) if label >= 0}
    expected = (drawn[0], drawn[1], labelled - drawn[0] - drawn[1])
    for mask, nodes in zip((train, val, test), expected, strict=True):
        assert set(mask.nonzero().reshape(-1).tolist()) == nodes


def test_fractions_default_to_60_20_20_and_follow_the_seed() -> None:
    masks = fractions_split(Y, seed=0)
    assert [torch.bincount(Y[mask]).tolist() for mask in masks] == [[300] * 4, [100] * 4, [100] * 4]
    assert not torch.equal(masks[0], fractions_split(Y, seed=1)[0])


def test_too_few_nodes_of_a_class() -> None:
    with pytest.raises(GraphKDError, match="needs 50 labelled nodes of every class, but class 2 has 10"):
        cpf_split(torch.tensor([0] * 60 + [1] * 70 + [2] * 10), 0)
    with pytest.raises(GraphKDError, match="but no node has a label"):
        cpf_split(torch.full((9,), -1), 0)
    with pytest.raises(GraphKDError, match="leaves no labelled node for test"):
        cpf_split(torch.arange(100) % 2, 0)


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=60), st.integers(0, 5))
def test_fractions_are_those_of_the_labelled_nodes_and_no_class_goes_without_training(
    labels: list[int], seed: int
) -> None:
    y = torch.tensor(labels)
    counts = [labels.count(c) for c in range(max(labels) + 1)]
    training = [max(1, math.floor(0.6 * count + 0.5)) if count else 0 for count in counts]
    left = sum(counts) - sum(training)
    if left < 2:
        with pytest.raises(GraphKDError, match="split=fractions needs nodes for training, validation and test"):
            fractions_split(y, seed)
        return
    train, val, test = fractions_split(y, seed)
    assert [int((train & (y == c)).sum()) for c in range(len(counts))] == training
    assert (int(val.sum()), int(test.sum())) == (left // 2, left - left // 2)
    assert torch.equal(train.int() + val.int() + test.int(), (y >= 0).int())


def test_other_fractions_and_the_seed() -> None:
    train, val, test = fractions_split(Y, 0, train=0.1, val=0.3)
    assert (int(train.sum()), int(val.sum()), int(test.sum())) == (200, 600, 1200)
    assert torch.bincount(Y[val]).tolist() == [150] * 4
    assert torch.equal(fractions_split(Y, 1)[0], fractions_split(Y, 1)[0])
    assert not torch.equal(fractions_split(Y, 1)[0], fractions_split(Y, 2)[0])
