"""A folder in the layout of ogbl-collab, written here, is read as it was written."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

from graphkd.errors import GraphKDError
from graphkd.links import LinkTraining, distill
from graphkd.links.ogb import read_ogb_links
from tests.links.conftest import community_graph


def write_csv(file: Path, table: np.ndarray) -> None:
    lines = "".join(",".join(map(str, row)) + "\n" for row in np.atleast_2d(table).tolist())
    file.write_bytes(gzip.compress(lines.encode()))


def write_folder(folder: Path, arrays: bool = True) -> dict[str, dict]:
    """Writes a small graph; parts hold numpy arrays, as in OGB's files, or tensors."""
    data = community_graph()
    edges = torch.unique(data.edge_index.t().sort(dim=1).values, dim=0)
    test, valid, train = edges[:20], edges[20:30], edges[30:]
    far = torch.stack([torch.arange(30), (torch.arange(30) + 30) % 60 + 1], dim=1).clamp(max=59)
    (folder / "raw").mkdir(parents=True)
    (folder / "split" / "time").mkdir(parents=True)
    write_csv(folder / "raw" / "edge.csv.gz", train.numpy())
    write_csv(folder / "raw" / "node-feat.csv.gz", data.x.numpy())
    write_csv(folder / "raw" / "num-node-list.csv.gz", np.array([[60]]))
    write_csv(folder / "raw" / "num-edge-list.csv.gz", np.array([[len(train)]]))
    twice = torch.cat([train, train[:3].flip(1)])  # a pair may be listed for several years
    parts = {
        "train": {"edge": twice, "weight": torch.ones(len(twice)), "year": torch.full((len(twice),), 2000)},
        "valid": {"edge": valid, "edge_neg": far[:10]},
        "test": {"edge": test, "edge_neg": far[10:]},
    }
    for part, content in parts.items():
        saved = {key: value.numpy() if arrays else value for key, value in content.items()}
        torch.save(saved, folder / "split" / "time" / f"{part}.pt")
    return parts


@pytest.mark.parametrize("arrays", [True, False])
def test_a_folder_is_read_as_it_was_written(tmp_path: Path, arrays: bool) -> None:
    parts = write_folder(tmp_path, arrays)
    data, split = read_ogb_links(tmp_path)
    torch.testing.assert_close(data.x, community_graph().x)
    unique = torch.unique(parts["train"]["edge"].sort(dim=1).values, dim=0)
    assert torch.equal(split.train, unique)
    assert data.edge_index.shape == (2, 2 * len(unique))
    for name, part in (("val", "valid"), ("test", "test")):
        assert torch.equal(getattr(split, name), parts[part]["edge"])
        assert torch.equal(getattr(split, f"{name}_negative"), parts[part]["edge_neg"])
    assert split.adj.matrix.nnz == 2 * len(unique)
    run = distill(data, "aa", "mlp", split=split, training=LinkTraining(max_epochs=1, hidden_dim=8))
    assert run.metrics["setting"] == "transductive"


def resave(part: str, content: object):
    return lambda folder: torch.save(content, folder / "split" / "time" / f"{part}.pt")


PAIR = torch.tensor([[0, 1]])
DAMAGE = {
    "no features": (lambda folder: (folder / "raw" / "node-feat.csv.gz").unlink(), "node-feat.csv.gz is missing"),
    "no part": (lambda folder: (folder / "split" / "time" / "test.pt").unlink(), "test.pt is missing"),
    "no split": (lambda folder: (folder / "split").rename(folder / "other"), "split holds no split"),
    "two splits": (lambda folder: (folder / "split" / "random").mkdir(), "split holds random, time: name one"),
    "cut": (lambda folder: (folder / "raw" / "node-feat.csv.gz").write_bytes(b"\x1f\x8b"), "cannot be read"),
    "rows": (
        lambda folder: write_csv(folder / "raw" / "num-node-list.csv.gz", np.array([[61]])),
        "does not hold the 61 rows",
    ),
    "code": (resave("train", {"edge": Path("x")}), "train.pt is damaged or holds more than arrays"),
    "garbage": (lambda folder: (folder / "split" / "time" / "valid.pt").write_bytes(b"x"), "valid.pt is damaged"),
    "no negatives": (resave("test", {"edge": PAIR}), "test.pt has no edge_neg, but edge"),
    "outside": (
        resave("valid", {"edge": PAIR, "edge_neg": PAIR + 99}),
        "valid.pt: edge_neg names nodes 99 to 100",
    ),
    "empty": (resave("valid", {"edge": PAIR, "edge_neg": PAIR[:0]}), "valid.pt holds no pairs"),
    "citation2": (resave("train", {"source_node": PAIR[0]}), "train.pt has no edge, but source_node"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_damaged_folder_is_one_line(case: str, tmp_path: Path) -> None:
    damage, message = DAMAGE[case]
    write_folder(tmp_path)
    damage(tmp_path)
    with pytest.raises(GraphKDError, match=message) as caught:
        read_ogb_links(tmp_path)
    assert "\n" not in str(caught.value)
