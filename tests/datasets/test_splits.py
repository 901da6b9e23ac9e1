import pytest
import torch

from graphkd import GraphKDError
from graphkd.datasets.splits import random_split

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
