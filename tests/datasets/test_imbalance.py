from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd import GraphKDError, load_dataset
from graphkd.datasets import Graph
from graphkd.datasets.imbalance import imbalanced_mask
from tests.datasets.custom.graphs import arrays

MASKS = ("train_mask", "val_mask", "test_mask")


@given(
    sizes=st.lists(st.integers(20, 60), min_size=2, max_size=6),
    ratios=st.tuples(st.floats(0.05, 1), st.floats(0.05, 1)),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_last_half_of_the_classes_keep_their_ratio_of_the_training_nodes(
    sizes: list[int], ratios: tuple[float, float], seed: int
) -> None:
    y = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    mask = torch.ones_like(y, dtype=torch.bool)
    few, many = (imbalanced_mask(mask, y, ratio, 1.0, seed) for ratio in sorted(ratios))
    assert bool((few <= many).all())
    for label, size in enumerate(sizes):
        is_minority = label >= len(sizes) - len(sizes) // 2
        expected = int(min(ratios) * size + 0.5) if is_minority else size
        assert int((y[few] == label).sum()) == expected
    assert torch.equal(imbalanced_mask(mask, y, min(ratios), 1.0, seed), few)


def test_a_long_tail_is_geometric_from_the_largest_class_to_the_smallest() -> None:
    sizes = [30, 1000, 500, 1000]
    y = torch.arange(4).repeat_interleave(torch.tensor(sizes))
    kept = imbalanced_mask(torch.ones_like(y, dtype=torch.bool), y, 1.0, 1000.0, 0)
    # In the order 1, 3, 2, 0: 1000, 100, 10, 1.
    assert torch.bincount(y[kept]).tolist() == [1, 1000, 10, 100]
    short = imbalanced_mask(torch.ones_like(y, dtype=torch.bool), y, 1.0, 8.0, 0)
    assert torch.bincount(y[short]).tolist() == [30, 1000, 250, 500]  # no more than there are


def test_the_draw_is_the_seed_s_and_nodes_outside_the_mask_stay_outside() -> None:
    y, mask = torch.arange(60) % 3, torch.arange(60) < 50
    drawn = [imbalanced_mask(mask, y, 0.3, 1.0, seed) for seed in range(20)]
    assert len({tuple(each.tolist()) for each in drawn}) > 15
    assert all(bool((each <= mask).all()) for each in drawn)


@pytest.mark.parametrize(
    ("keys", "name"), [({"imbalance": 0.1}, "random-imbalance0.1"), ({"long_tail": 10}, "random-longtail10")]
)
def test_a_data_set_keeps_everything_but_the_labels_it_trains_on(keys: dict[str, float], name: str) -> None:
    whole, few = load_dataset("digits", seed=3), load_dataset("digits", seed=3, **keys)
    sizes = torch.bincount(few.y[few.train_mask])
    assert (int(sizes.max()), int(sizes.min())) == (20, 2)
    for table in ("val_mask", "test_mask", "x", "edge_index", "y"):
        assert torch.equal(whole[table], few[table])
    assert few.graphkd.items() >= keys.items()
    assert Graph.from_data(few).split == name


def test_so_does_a_graph_of_one_s_own_after_a_share_of_the_labels(tmp_path: Path) -> None:
    parts = zip(MASKS, ([0, 1, 2, 3, 4, 5], 6, 7), strict=True)
    masks = {name: np.isin(np.arange(8), nodes) for name, nodes in parts}
    np.savez(tmp_path / "graph.npz", **arrays(**masks))
    whole = load_dataset("custom", path=tmp_path)
    data = load_dataset("custom", path=tmp_path, imbalance=0.5)
    before, after = (torch.bincount(each.y[each.train_mask]) for each in (whole, data))
    assert after.tolist() == [int(before[0]), int(before[1] / 2 + 0.5)]
    assert load_dataset("custom", path=tmp_path, imbalance=0.5, label_rate=0.7).graphkd["imbalance"] == 0.5


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"imbalance": 0}, "dataset.imbalance is 0: it must be a number greater than 0 and at most 1"),
        ({"imbalance": True}, "dataset.imbalance is True"),
        ({"imbalance": float("nan")}, "dataset.imbalance is nan"),
        ({"long_tail": 0.5}, "dataset.long_tail is 0.5: it must be a number from 1 to 1000000"),
        ({"long_tail": None}, "dataset.long_tail is None"),
        ({"imbalance": 0.1, "long_tail": 10}, "are two profiles of one split: leave one out"),
        ({"imbalance": 0.01}, "dataset.imbalance=0.01 leaves class 5 none of its 20 training nodes: raise it, or"),
        ({"long_tail": 1000}, "dataset.long_tail=1000 leaves class 5 none of its 20 training nodes: lower it, or"),
    ],
)
def test_what_is_no_profile(keys: dict[str, float], message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        load_dataset("digits", **keys)
