"""ogbn-proteins: features of edges alone, and 112 labels per node."""

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_geometric.data import Data
from torch_geometric.utils import scatter

from graphkd import GraphKDError, Training, distill, load_dataset
from graphkd.datasets import Graph
from graphkd.datasets.ogb import incident, write_ogb
from graphkd.datasets.validate import MASKS
from tests.datasets.ogb.graphs import load, read_lines, write_lines

NAME, NODES, LABELS = "ogbn-proteins", 90, 112


def proteins() -> Data:
    """A graph with three species, the last node of which has no edge; each edge in both directions."""
    generator = torch.Generator().manual_seed(0)
    pairs = torch.combinations(torch.arange(NODES - 1))
    pairs = pairs[torch.randperm(len(pairs), generator=generator)[:400]].T
    features = torch.rand(400, 8, generator=generator)
    y = (torch.rand(NODES, LABELS, generator=generator) < 0.4).float()
    species = torch.arange(NODES) % 3
    masks = {name: species == k for k, name in enumerate(MASKS)}
    return Data(edge_index=torch.cat([pairs, pairs.flip(0)], dim=1), edge_attr=features.repeat(2, 1), y=y, **masks)


def place(root: Path) -> tuple[Data, Path]:
    data = proteins()
    return data, write_ogb(data, root / "data", NAME)


def literal_mean(data: Data) -> np.ndarray:
    """The mean over incoming edges, node by node."""
    rows = []
    for node in range(NODES):
        own = [data.edge_attr[edge].double() for edge in range(data.num_edges) if data.edge_index[1, edge] == node]
        rows.append(sum(own) / len(own) if own else torch.zeros(8, dtype=torch.float64))
    return torch.stack(rows).numpy()


@pytest.mark.parametrize("rows", [1 << 20, 7])
def test_features_are_the_mean_of_incident_edges(
    rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, _ = place(tmp_path)
    monkeypatch.setattr(incident, "ROWS", rows)
    for _ in ("from the raw files", "from the parsed form"):
        ours = load(tmp_path, NAME)
        np.testing.assert_allclose(ours.x.numpy(), literal_mean(data), rtol=1e-6, atol=0)
        assert ours.x.dtype == torch.float32
        assert not ours.x[-1].any()
        assert torch.equal(ours.y, data.y)
        assert all(torch.equal(ours[mask], data[mask]) for mask in MASKS)
        edges = {*map(tuple, ours.edge_index.T.tolist())}
        assert edges == {*map(tuple, data.edge_index.T.tolist())}
        assert ours.num_edges == len(edges) == 800
    graph = Graph.from_data(ours)
    assert (graph.split, graph.metric, graph.task.name, graph.num_classes) == (
        "ogb",
        "roc_auc",
        "multilabel",
        LABELS,
    )


def test_features_are_those_of_ogb_s_reader(tmp_path: Path) -> None:
    from graphkd.datasets.ogb.package import quiet
    from graphkd.datasets.ogb.readers import read_csv_graph_raw

    _, folder = place(tmp_path)
    with quiet():
        (theirs,) = read_csv_graph_raw(str(folder / "raw"), add_inverse_edge=True)
    ends = torch.from_numpy(theirs["edge_index"][1])
    mean = scatter(torch.from_numpy(theirs["edge_feat"]), ends, dim_size=NODES, reduce="mean")
    torch.testing.assert_close(load(tmp_path, NAME).x, mean, rtol=1e-6, atol=1e-7)


def test_unknown_entries_stay_unknown(tmp_path: Path) -> None:
    data = proteins()
    data.y[3, 4] = torch.nan
    write_ogb(data, tmp_path / "data", NAME)
    for _ in ("from the raw files", "from the parsed form"):
        assert load(tmp_path, NAME).y.isnan().nonzero().tolist() == [[3, 4]]


def test_a_split_by_fractions(tmp_path: Path) -> None:
    place(tmp_path)
    drawn = load(tmp_path, NAME, split="fractions")
    assert all(bool(drawn[mask].any()) for mask in MASKS)
    with pytest.raises(GraphKDError, match="ogbn-proteins has no split 'random': choose ogb or fractions"):
        load(tmp_path, NAME, split="random")


def test_it_is_distilled(tmp_path: Path) -> None:
    place(tmp_path)
    data = load_dataset(NAME, data_dir=tmp_path / "data", cache_dir=tmp_path / "cache", download="never")
    result = distill(data, method="glnn", training=Training(max_epochs=2))
    assert 0 < result.metrics["mean"]["student_test"] < 1


def cut(file: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = (folder / file).read_bytes()
        (folder / file).write_bytes(content[: len(content) // 2])

    return change


def lines(file: str, edit: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    return lambda folder: write_lines(folder / file, edit(read_lines(folder / file)))


def empty(file: str) -> Callable[[Path], None]:
    return lambda folder: gzip.open(folder / file, "wt").close()


EDGE, FEATURES, LABEL = "raw/edge.csv.gz", "raw/edge-feat.csv.gz", "raw/node-label.csv.gz"
FAULTS = {
    "truncated features": (cut(FEATURES), "edge-feat.csv.gz is damaged or cut off"),
    "no rows of features": (empty(FEATURES), "raw cannot be read"),
    "missing features": (
        lambda folder: (folder / FEATURES).unlink(),
        "incomplete, raw/edge-feat.csv.gz is missing",
    ),
    "too few features": (lines(FEATURES, lambda rows: rows[:-1]), "edge-feat has 399 rows where 400 are stated"),
    "too many features": (lines(FEATURES, lambda rows: [*rows, rows[0]]), "edge-feat has 401 rows where 400"),
    "a missing feature": (
        lines(FEATURES, lambda rows: [*rows[:-1], rows[-1].rpartition(",")[0]]),
        "edge-feat.csv.gz holds what is no finite number",
    ),
    "an infinite feature": (
        lines(FEATURES, lambda rows: ["inf" + ",0" * 7, *rows[1:]]),
        "edge-feat.csv.gz holds what is no finite number",
    ),
    "a word": (lines(FEATURES, lambda rows: ["a" + ",0" * 7, *rows[1:]]), "raw cannot be read"),
    "a column of features too many": (
        lines(FEATURES, lambda rows: [row + ",1" for row in rows]),
        "edge-feat.csv.gz has 9 columns, not 8",
    ),
    "truncated edges": (cut(EDGE), "edge.csv.gz is damaged or cut off"),
    "too few edges": (lines(EDGE, lambda rows: rows[:-1]), "edge has 399 rows where 400 are stated"),
    "a third end": (lines(EDGE, lambda rows: [row + ",1" for row in rows]), "edge has 3 columns, not 2"),
    "a foreign edge": (
        lines(EDGE, lambda rows: ["0,90", *rows[1:]]),
        "edges name nodes 0 to 90, but there are 90",
    ),
    "a negative end": (lines(EDGE, lambda rows: ["0,-1", *rows[1:]]), "edges name nodes -1 to"),
    "truncated labels": (cut(LABEL), "node-label.csv.gz cannot be read"),
    "too few labels": (lines(LABEL, lambda rows: rows[:-1]), "node-label has 89 rows where 90 are stated"),
    "a column of labels too few": (
        lines(LABEL, lambda rows: [row.partition(",")[2] for row in rows]),
        "node-label.csv.gz has 111 columns, not 112",
    ),
    "a class": (
        lines(LABEL, lambda rows: ["2" + ",0" * 111, *rows[1:]]),
        "a label is 2, but those of ogbn-proteins",
    ),
    "a word for a label": (lines(LABEL, lambda rows: ["a" + ",0" * 111, *rows[1:]]), "labels are not numbers"),
    "a missing split": (lambda folder: shutil.rmtree(folder / "split"), "split/species/train.csv.gz is missing"),
    "a foreign split": (
        lines("split/species/valid.csv.gz", lambda rows: ["90"]),
        "names what is no node of 0 to 89",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_folder_is_one_line(fault: str, tmp_path: Path) -> None:
    change, line = FAULTS[fault]
    _, folder = place(tmp_path)
    change(folder)
    with pytest.raises(GraphKDError, match=line) as refusal:
        load(tmp_path, NAME)
    assert "\n" not in str(refusal.value)
