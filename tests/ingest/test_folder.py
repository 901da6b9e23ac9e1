"""Out of core the graph is the same, to the bit, as in memory."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings

from graphkd import GraphKDError
from graphkd.datasets.custom.build import make_undirected
from graphkd.datasets.custom.folder import read_folder
from graphkd.datasets.source import Location
from graphkd.ingest import MappedGraph, ingest_folder, plan
from graphkd.sparse import Adjacency
from tests.ingest.tables import frames, tables, write_parts, write_whole

pytest.importorskip("duckdb")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks and merges of some edges each."""
    monkeypatch.setattr(plan, "CHUNK", 2e7)
    monkeypatch.setattr(plan, "MERGE", 3e7)


def in_memory(folder: Path, directed: bool) -> tuple[torch.Tensor, torch.Tensor | None, int]:
    data = read_folder(Location(folder, folder, path=folder))
    if not directed:
        make_undirected(data)
    return data.edge_index, data.get("edge_weight"), data.x.shape[0]


@pytest.mark.parametrize("directed", [True, False])
@settings(max_examples=15, deadline=None)
@given(drawn=tables())
def test_it_is_the_graph_of_the_reader_in_memory(directed: bool, drawn: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "CHUNK", 2e7)
        patch.setattr(plan, "MERGE", 3e7)
        parts = write_parts(Path(name) / "parts", *drawn)
        graph = ingest_folder(parts, Path(name) / "out", directed=directed, memory_budget=0.25)
        edge_index, weight, num_nodes = in_memory(write_whole(Path(name) / "whole", *drawn), directed)
        assert torch.equal(graph.edge_index, edge_index)
        assert (graph.num_nodes, graph.num_edges) == (num_nodes, edge_index.shape[1])
        assert graph.edge_weight is None if weight is None else torch.equal(graph.edge_weight, weight)
        expected, found = Adjacency(edge_index, num_nodes, weight), graph.adjacency()
        assert found.matrix.equals(expected.matrix)
        assert found.matrix.t().equals(expected.matrix.t())
        assert torch.equal(graph.outgoing.degree(), torch.bincount(edge_index[0], minlength=num_nodes))
        assert torch.equal(graph.incoming.degree(), torch.bincount(edge_index[1], minlength=num_nodes))


def test_sums_of_weights_are_in_the_order_of_the_rows(tmp_path: Path) -> None:
    """In any other order they are other floats: 1e16 + 1 + 1 is 1e16, 1 + 1 + 1e16 is not."""
    generator = np.random.default_rng(0)
    weight = 10.0 ** generator.integers(-8, 9, 200)
    drawn = frames("string", 9, np.stack([np.arange(200) % 2, np.full(200, 3)]), weight)
    graph = ingest_folder(
        write_parts(tmp_path / "parts", *drawn), tmp_path / "out", directed=True, memory_budget=1
    )
    expected = in_memory(write_whole(tmp_path / "whole", *drawn), directed=True)[1]
    assert graph.edge_weight is not None
    assert expected is not None
    assert torch.equal(graph.edge_weight, expected)


def test_it_is_opened_where_nothing_has_changed_and_made_again_where_it_has(tmp_path: Path) -> None:
    drawn = frames("integer", 12, [[0, 1, 1], [1, 2, 2]])
    parts, out = write_parts(tmp_path / "parts", *drawn), tmp_path / "out"
    assert ingest_folder(parts, out).num_edges == 4
    before = (out / "card.json").stat().st_mtime_ns
    assert ingest_folder(parts, out).edge_index.tolist() == [[0, 1, 1, 2], [1, 0, 2, 1]]
    assert (out / "card.json").stat().st_mtime_ns == before
    shutil.copy(parts / "edges/part-0.parquet", parts / "edges/part-3.parquet")
    assert ingest_folder(parts, out).num_edges == 4
    assert (out / "card.json").stat().st_mtime_ns != before
    assert ingest_folder(parts, out, directed=True).num_edges == 2
    (out / "incoming.col.npy").write_bytes(b"?")
    with pytest.raises(GraphKDError, match=r"incoming\.col\.npy is missing or cut off: make the folder again"):
        MappedGraph.open(out)
    assert ingest_folder(parts, out, directed=True).incoming.degree().sum() == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "parts"]


@pytest.mark.parametrize("form", ["csv", "parquet", "parts"])
def test_nodes_are_of_any_form_and_notes_are_no_parts(form: str, tmp_path: Path) -> None:
    nodes, edges = frames("string", 12, [[0, 1, 11], [1, 2, 11]])
    parts = write_parts(tmp_path / "parts", nodes, edges)
    (parts / "edges/_SUCCESS").touch()
    if form != "parts":
        shutil.rmtree(parts / "nodes")
        getattr(nodes, f"to_{form}")(parts / f"nodes.{form}", index=False)
    graph = ingest_folder(parts, tmp_path / "out", directed=True)
    assert (graph.num_nodes, graph.edge_index.tolist()) == (12, [[0, 1, 11], [1, 2, 11]])


def test_bytes_categories_and_short_integers_are_ids_too(tmp_path: Path) -> None:
    nodes, edges = frames("string", 12, [[0, 1], [1, 2]])
    coded = edges.assign(source=edges["source"].str.encode("utf-8"), target=edges["target"].astype("category"))
    graph = ingest_folder(write_parts(tmp_path / "texts", nodes, coded), tmp_path / "a", directed=True)
    assert graph.edge_index.tolist() == [[0, 1], [1, 2]]
    nodes, edges = frames("integer", 12, [[0, 1], [1, 2]])
    nodes, edges = nodes.astype({"id": np.int16}), edges.astype({"source": np.int32})
    graph = ingest_folder(write_parts(tmp_path / "numbers", nodes, edges), tmp_path / "b", directed=True)
    assert graph.edge_index.tolist() == [[0, 1], [1, 2]]
