"""Metadata of OGB's node classification data sets, and those that graphkd does not support."""

from __future__ import annotations

from dataclasses import dataclass

from graphkd.datasets.source import RawFiles


@dataclass(frozen=True)
class Facts:
    """Metadata of a data set: a column of ``ogb/nodeproppred/master.csv``, and the size of the archive.

    Args:
        name: such as ``ogbn-arxiv``.
        num_classes: ``C``.
        split: folder of the official split.
        add_inverse_edge: whether the files list only one direction of each undirected edge.
        binary: whether the files are numpy archives, else ``csv.gz``.
        archive: name of the zip file, and of the folder in it.
        download_gb: its size, according to OGB's server.
        version: of the files, as in the name of their release note.
        num_tasks: ``L`` labels per node; 1 is one class.
        edge_features: ``D`` features of each edge, where nodes have none of their own; else 0.
    """

    name: str
    num_classes: int
    split: str
    add_inverse_edge: bool
    binary: bool
    archive: str
    download_gb: float
    version: int = 1
    num_tasks: int = 1
    edge_features: int = 0

    @property
    def num_outputs(self) -> int:
        """Number of classes, or of labels where a node may have several."""
        return self.num_classes if self.num_tasks == 1 else self.num_tasks

    @property
    def url(self) -> str:
        """URL of the archive."""
        return f"http://snap.stanford.edu/ogb/data/nodeproppred/{self.archive}.zip"

    @property
    def raw(self) -> RawFiles:
        """Files in the layout of the ``ogb`` package."""
        release = f"RELEASE_v{self.version}.txt"
        return RawFiles(f"OGB/{self.name.replace('-', '_')}", (release, *self.graph_files, *self.split_files))

    @property
    def graph_files(self) -> tuple[str, ...]:
        """Files of edges, features, counts and labels."""
        if self.binary:
            return ("raw/data.npz", "raw/node-label.npz")
        features = "edge-feat" if self.edge_features else "node-feat"
        names = ("edge", features, "num-node-list", "num-edge-list", "node-label")
        return tuple(f"raw/{name}.csv.gz" for name in names)

    @property
    def split_files(self) -> tuple[str, ...]:
        """Files of the node ids of the three parts; archives may contain ``split_dict.pt`` instead."""
        return () if self.binary else tuple(self.split_file(part) for part in PARTS)

    def split_file(self, part: str) -> str:
        """Returns the file of one part of the split."""
        return f"split/{self.split}/{part}.csv.gz"


PARTS = ("train", "valid", "test")

FACTS = (
    Facts("ogbn-arxiv", 40, "time", add_inverse_edge=False, binary=False, archive="arxiv", download_gb=0.08),
    Facts(
        "ogbn-products", 47, "sales_ranking", add_inverse_edge=True, binary=False, archive="products",
        download_gb=1.38,
    ),
    Facts(
        "ogbn-papers100M", 172, "time", add_inverse_edge=False, binary=True, archive="papers100M-bin",
        download_gb=56.17,
    ),
    Facts(
        "ogbn-proteins", 2, "species", add_inverse_edge=True, binary=False, archive="proteins", download_gb=0.21,
        num_tasks=112, edge_features=8,
    ),
)  # fmt: skip

UNSUPPORTED = {
    "ogbn-mag": "ogbn-mag is heterogeneous, several kinds of nodes and edges, and graphkd's teachers know one "
    "kind: choose ogbn-arxiv, or take its paper nodes with their citations as dataset=custom",
}
"""Name → error message with the reason and an alternative."""
