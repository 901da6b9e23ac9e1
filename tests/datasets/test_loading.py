import pytest
import torch

from graphkd import GraphKDError, datasets, load_dataset
from graphkd.datasets.fingerprint import fingerprints
from graphkd.datasets.loading import SPLITS
from graphkd.registry import catalogue


def test_whoever_changes_digits_changes_a_copy() -> None:
    first = load_dataset("digits")
    expected = {name: table.clone() for name, table in first if name in ("x", "edge_index", "y")}
    for name in expected:
        first[name].zero_()
    again = load_dataset("digits")
    assert all(torch.equal(again[name], table) for name, table in expected.items())


def test_digits_is_a_symmetric_graph_with_20_labels_per_class() -> None:
    data = load_dataset("digits")
    pairs = set(map(tuple, data.edge_index.t().tolist()))
    assert all((b, a) in pairs for a, b in pairs)
    assert torch.bincount(data.y[data.train_mask]).tolist() == [20] * 10
    checksums = fingerprints(data)
    assert {key: value for key, value in data.graphkd.items() if key not in checksums} == {
        "name": "digits", "split": "random", "seed": 0, "features": "stored", "row_normalize": False,
        "directed": False, "label_rate": 1.0, "data_dir": "data", "cache_dir": None,
    }  # fmt: skip
    assert data.graphkd.items() >= checksums.items()
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
    with pytest.raises(GraphKDError, match="seed is"):
        load_dataset("digits", seed=-1)
    with pytest.raises(GraphKDError, match="download is 'maybe': choose ask, yes or never"):
        load_dataset("digits", download="maybe")
    with pytest.raises(GraphKDError, match="dataset.row_normalize is 'no': choose true or false"):
        load_dataset("digits", row_normalize="no")
    with pytest.raises(GraphKDError, match="dataset.features is 'x'"):
        load_dataset("digits", features="x")


def test_every_split_that_a_data_set_names_exists() -> None:
    for source in catalogue(datasets).values():
        assert set(source.splits) <= set(SPLITS)


@pytest.mark.parametrize("split", ["cpf", "fractions"])
def test_drawn_splits_by_name(split: str) -> None:
    data = load_dataset("digits", split=split)
    assert data.graphkd["split"] == split
    sizes = [int(data[mask].sum()) for mask in ("train_mask", "val_mask", "test_mask")]
    assert sizes == {"cpf": [200, 300, 1297], "fractions": [1078, 359, 360]}[split]
