"""ogbn-arxiv, ogbn-products, ogbn-papers100M and ogbn-proteins."""

from __future__ import annotations

from functools import partial

from graphkd.datasets.ogb.facts import FACTS, Facts
from graphkd.datasets.ogb.read import read_ogb
from graphkd.datasets.source import Source

PAPER = "Hu et al., Open Graph Benchmark: Datasets for Machine Learning on Graphs, NeurIPS 2020"


def _source(facts: Facts) -> Source:
    several = facts.num_tasks > 1
    return Source(
        name=facts.name,
        paper=PAPER,
        # a random split takes as many training nodes of each class, where a node has exactly one
        splits=("ogb", "fractions") if several else ("ogb", "random", "fractions"),
        row_normalize=False,
        read=partial(read_ogb, facts),
        metric="roc_auc" if several else None,
        raw=facts.raw,
        undirected=facts.add_inverse_edge,
        task="multilabel" if several else None,
    )


ogbn_arxiv, ogbn_products, ogbn_papers100m, ogbn_proteins = map(_source, FACTS)
