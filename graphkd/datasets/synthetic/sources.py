"""synthetic-arxiv, synthetic-products and synthetic-papers100M."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from graphkd.datasets.source import Location, Source
from graphkd.datasets.synthetic._generate import generate
from graphkd.datasets.synthetic.plan import ARXIV, PAPERS100M, PRODUCTS, Plan

if TYPE_CHECKING:
    from torch_geometric.data import Data


def _read(plan: Plan, location: Location) -> Data:
    return generate(plan.at(location.scale))


synthetic_arxiv, synthetic_products, synthetic_papers100m = (
    Source(
        name=f"synthetic-{name}",
        paper=f"drawn by graphkd with the counts of ogbn-{name}; dataset.scale=0.1 draws a tenth",
        splits=("ogb", "random", "fractions"),
        row_normalize=False,
        read=partial(_read, plan),
        undirected=not plan.directed,
        scaled=True,
    )
    for name, plan in (("arxiv", ARXIV), ("products", PRODUCTS), ("papers100M", PAPERS100M))
)
