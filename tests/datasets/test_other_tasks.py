"""Chameleon and BlogCatalog from files in their layouts."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import graphkd
from graphkd import Training
from graphkd.datasets import Graph
from graphkd.encoders import Positions
from graphkd.errors import GraphKDError

N = 30


def write_chameleon(folder: Path) -> None:
    place = folder / "MUSAE" / "chameleon"
    place.mkdir(parents=True)
    links = [(k, (k + 1) % N) for k in range(N)]
    rows = "\n".join(f"{one},{two}" for one, two in [*links, *links[:5]])  # some are listed twice
    (place / "edges.csv").write_text(f"id1,id2\n{rows}\n")
    (place / "target.csv").write_text("id,target\n" + "\n".join(f"{k},{10 * (k + 1)}" for k in range(N)) + "\n")
    (place / "features.json").write_text(json.dumps({str(k): [k % 4, 4, 4] for k in range(N)}))


def test_chameleon_has_the_logarithm_of_its_visits(tmp_path: Path) -> None:
    write_chameleon(tmp_path)
    data = graphkd.load_dataset("chameleon", data_dir=tmp_path)
    assert data.edge_index.shape == (2, 2 * N)
    np.testing.assert_allclose(data.y, np.log(10 * (np.arange(N) + 1.0)))
    assert data.x.to_dense()[5].tolist() == [0, 1, 0, 0, 1]
    graph = Graph.from_data(data)
    assert (graph.task.name, graph.metric, graph.split) == ("regression", "r2", "fractions")


def test_blogcatalog_has_no_features_and_trains_on_positions(tmp_path: Path) -> None:
    place = tmp_path / "blogcatalog_multilabel"
    place.mkdir()
    start = np.arange(N)
    edges = np.stack([np.concatenate([start, (start + 1) % N]), np.concatenate([(start + 1) % N, start])])
    labels = {"labels_indices": start % 3, "labels_indptr": np.arange(N + 1), "labels_shape": np.array([N, 3])}
    np.savez(place / "blogcatalog.npz", edge_index=edges.astype(np.int32), **labels)
    data = graphkd.load_dataset("blogcatalog", data_dir=tmp_path)
    assert data.y.sum(dim=1).tolist() == [1.0] * N
    encoder = Positions(features="none", dim=4, walks=2, length=5)
    run = graphkd.distill(data, encoder=encoder, training=Training(max_epochs=2), baseline=False)
    assert (run.metrics["task"], run.metrics["metric"]) == ("multilabel", "micro_f1_known_counts")
    assert torch.isfinite(torch.tensor(run.metrics["mean"]["student_test"]))


@pytest.mark.parametrize("file", ["edges.csv", "target.csv", "features.json"])
def test_damaged_files_are_one_line(tmp_path: Path, file: str) -> None:
    write_chameleon(tmp_path)
    (tmp_path / "MUSAE" / "chameleon" / file).write_text("{")
    with pytest.raises(GraphKDError, match="does not hold the graph of chameleon") as error:
        graphkd.load_dataset("chameleon", data_dir=tmp_path)
    assert "\n" not in str(error.value)
