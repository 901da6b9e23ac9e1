"""ogbn-arxiv, ogbn-products and ogbn-papers100M."""

from __future__ import annotations

from functools import partial

from graphkd.datasets.ogb.facts import FACTS
from graphkd.datasets.ogb.read import read_ogb
from graphkd.datasets.source import Source

SPLITS = ("ogb", "random", "fractions")
PAPER = "Hu et al., Open Graph Benchmark: Datasets for Machine Learning on Graphs, NeurIPS 2020"

ogbn_arxiv, ogbn_products, ogbn_papers100m = (
    Source(
        name=facts.name,
        paper=PAPER,
        splits=SPLITS,
        row_normalize=False,
        read=partial(read_ogb, facts),
        raw=facts.raw,
        undirected=facts.add_inverse_edge,
    )
    for facts in FACTS
)
