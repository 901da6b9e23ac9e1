from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd import GraphKDError, load_dataset
from graphkd.datasets import Graph
from graphkd.datasets.label_rate import scarce_mask
from tests.datasets.custom.graphs import arrays

MASKS = ("train_mask", "val_mask", "test_mask")


@given(
    y=st.lists(st.integers(0, 3), min_size=1, max_size=40),
    rates=st.tuples(st.floats(0.01, 1), st.floats(0.01, 1)),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_class_keeps_its_share_and_smaller_shares_are_parts_of_larger_ones(
    y: list[int], rates: tuple[float, float], seed: int
) -> None:
    labels, mask = torch.tensor(y), torch.arange(len(y)) % 3 > 0
    few, many = (scarce_mask(mask, labels, rate, seed) for rate in sorted(rates))
    assert bool((few <= many).all())
    assert bool((many <= mask).all())
    for label in set(labels[mask].tolist()):
        count = int((labels[mask] == label).sum())
        kept = int((labels[few] == label).sum())
        assert kept == max(1, int(min(rates) * count + 0.5))
    assert torch.equal(scarce_mask(mask, labels, min(rates), seed), few)


def test_the_draw_is_the_seed_s() -> None:
    mask, y = torch.ones(60, dtype=torch.bool), torch.arange(60) % 3
    drawn = [scarce_mask(mask, y, 0.2, seed).nonzero().reshape(-1).tolist() for seed in range(20)]
    assert len({tuple(each) for each in drawn}) > 15
    assert {node for each in drawn for node in each} == set(range(60))


def test_a_data_set_keeps_everything_but_the_labels_it_trains_on() -> None:
    whole, scarce = load_dataset("digits", seed=3), load_dataset("digits", seed=3, label_rate=0.2)
    assert torch.bincount(scarce.y[scarce.train_mask]).tolist() == [4] * 10
    for name in ("val_mask", "test_mask", "x", "edge_index", "y"):
        assert torch.equal(whole[name], scarce[name])
    assert scarce.graphkd["label_rate"] == 0.2
    assert (Graph.from_data(whole).split, Graph.from_data(scarce).split) == ("random", "random-labels0.2")


def test_so_does_a_graph_of_one_s_own(tmp_path: Path) -> None:
    parts = zip(MASKS, ([0, 1, 2, 3, 4], 5, 6), strict=True)
    masks = {name: np.isin(np.arange(8), nodes) for name, nodes in parts}
    np.savez(tmp_path / "graph.npz", **arrays(**masks))
    data = load_dataset("custom", path=tmp_path, label_rate=0.5)
    assert [int(data[name].sum()) for name in MASKS] == [3, 1, 1]
    assert torch.bincount(data.y[data.train_mask]).sort().values.tolist() == [1, 2]


@pytest.mark.parametrize("rate", [0, 0.0, -0.1, 1.5, float("nan"), float("inf"), True, "all", None])
def test_what_is_no_share(rate) -> None:
    with pytest.raises(GraphKDError, match=r"dataset.label_rate is .*: it must be a number greater than 0 and at"):
        load_dataset("digits", label_rate=rate)
