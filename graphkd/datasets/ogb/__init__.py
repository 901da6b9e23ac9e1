"""Open Graph Benchmark: graphs with the official split, read from raw folders."""

from graphkd.datasets.ogb.sources import ogbn_arxiv, ogbn_papers100m, ogbn_products, ogbn_proteins
from graphkd.datasets.ogb.write import write_ogb

__all__ = ["ogbn_arxiv", "ogbn_papers100m", "ogbn_products", "ogbn_proteins", "write_ogb"]
