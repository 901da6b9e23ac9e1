import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_geometric.utils import is_undirected, to_undirected

from graphkd import GraphKDError, load_dataset
from graphkd.datasets import Graph
from graphkd.datasets.ogb import read, write_ogb
from graphkd.datasets.validate import MASKS
from tests.datasets.ogb.graphs import NAMES, load, place, read_lines, write_lines


@pytest.mark.parametrize("name", NAMES)
def test_what_was_written_is_read_with_the_official_split(name: str, tmp_path: Path) -> None:
    data, _ = place(tmp_path, name)
    before = sorted(tmp_path.rglob("*"))
    ours = load(tmp_path, name)
    assert [path for path in sorted(tmp_path.rglob("*")) if "cache" not in str(path)] == before
    for part in ("x", "y", *MASKS):
        assert torch.equal(ours[part], data[part])
    assert torch.equal(ours.edge_index, to_undirected(data.edge_index))
    graph = Graph.from_data(ours)
    assert (graph.split, graph.num_classes) == ("ogb", len(data.class_names))
    directed = load(tmp_path, name, directed=True).edge_index
    assert is_undirected(directed) == (name == "ogbn-products")
    assert torch.equal(torch.unique(directed, dim=1), torch.unique(data.edge_index, dim=1))


@pytest.mark.parametrize("folder", ["OGB/ogbn_arxiv", "ogb/OGBN_Arxiv"])
def test_other_places(folder: str, tmp_path: Path) -> None:
    data, written = place(tmp_path)
    (tmp_path / "data" / folder).parent.mkdir()
    written.rename(tmp_path / "data" / folder)
    assert torch.equal(load(tmp_path).x, data.x)


def test_the_second_read_parses_nothing_and_a_changed_file_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, folder = place(tmp_path)
    first, parses, parse = load(tmp_path), [], read.read_raw
    monkeypatch.setattr(read, "read_raw", lambda *args: (parses.append(1), parse(*args))[1])
    second = load(tmp_path)
    assert parses == []
    assert all(torch.equal(first[part], second[part]) for part in ("x", "y", "edge_index", *MASKS))
    labels = read_lines(folder / "raw" / "node-label.csv.gz")
    write_lines(folder / "raw" / "node-label.csv.gz", ["39", *labels[1:]])
    assert int(load(tmp_path).y[0]) == 39
    assert parses == [1]


def test_a_damaged_or_unwritable_cache_costs_a_warning(tmp_path: Path) -> None:
    place(tmp_path)
    load(tmp_path)
    (kept,) = (tmp_path / "cache" / "parsed").iterdir()
    content = bytearray(kept.read_bytes())
    content[-1] ^= 1
    kept.write_bytes(content)
    with pytest.warns(UserWarning, match="is damaged .* the raw files are read again"):
        whole = load(tmp_path)
    assert torch.equal(load(tmp_path).y, whole.y)
    kept.unlink()
    (tmp_path / "cache" / "parsed").rmdir()
    (tmp_path / "cache" / "parsed").write_text("")
    with pytest.warns(UserWarning, match="cannot be written .* the raw files will be read again"):
        load(tmp_path)


def test_a_graph_of_several_kinds_of_nodes(tmp_path: Path) -> None:
    with pytest.raises(GraphKDError, match=r"ogbn-mag is heterogeneous.*: choose ogbn-arxiv"):
        load_dataset("ogbn-mag", tmp_path)


def test_only_ogb_s_names_can_be_written(tmp_path: Path) -> None:
    data, _ = place(tmp_path)
    with pytest.raises(GraphKDError, match="unknown OGB data set 'arxiv': did you mean 'ogbn-arxiv'"):
        write_ogb(data, tmp_path, "arxiv")


@pytest.mark.slow
def test_arxiv_at_its_true_size(tmp_path: Path) -> None:
    data = load_dataset("synthetic-arxiv", directed=True)
    write_ogb(data, tmp_path / "data", "ogbn-arxiv")
    for _ in range(2):
        ours = load(tmp_path, directed=True)
        assert torch.equal(ours.x, data.x)
        assert np.array_equal(*(np.sort(np.dot([169_343, 1], each.edge_index.numpy())) for each in (ours, data)))
    assert len(os.listdir(tmp_path / "cache" / "parsed")) == 1
