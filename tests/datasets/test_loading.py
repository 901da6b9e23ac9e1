import pytest
import torch

from graphkd import GraphKDError, load_dataset


def test_digits_is_a_symmetric_graph_with_20_labels_per_class() -> None:
    data = load_dataset("digits")
    pairs = set(map(tuple, data.edge_index.t().tolist()))
    assert all((b, a) in pairs for a, b in pairs)
    assert torch.bincount(data.y[data.train_mask]).tolist() == [20] * 10
    assert (data.name, data.split, data.features, data.row_normalize) == ("digits", "random", "stored", False)
    assert torch.bincount(data.edge_index[1]).min() >= 8


def test_directed_keeps_the_eight_nearest_of_each() -> None:
    data = load_dataset("digits", directed=True)
    assert torch.equal(torch.bincount(data.edge_index[1]), torch.full((1797,), 8))


def test_the_seed_draws_the_split() -> None:
    assert not torch.equal(load_dataset("digits", seed=0).test_mask, load_dataset("digits", seed=1).test_mask)


def test_unknown_names() -> None:
    with pytest.raises(GraphKDError, match="unknown dataset 'digit': did you mean 'digits'"):
        load_dataset("digit")
    with pytest.raises(GraphKDError, match="digits has no split 'public': choose random"):
        load_dataset("digits", split="public")
    with pytest.raises(GraphKDError, match="dataset.features is 'x'"):
        load_dataset("digits", features="x")
