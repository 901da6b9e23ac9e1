"""Names → ``torch_geometric`` data, checked and preprocessed graphs, splits."""

from graphkd.datasets._digits import digits
from graphkd.datasets.graph import Graph
from graphkd.datasets.own import custom
from graphkd.datasets.planetoid import citeseer, cora, pubmed
from graphkd.datasets.preprocess import Preprocessing
from graphkd.datasets.source import Location, Source

__all__ = ["Graph", "Location", "Preprocessing", "Source", "citeseer", "cora", "custom", "digits", "pubmed"]
