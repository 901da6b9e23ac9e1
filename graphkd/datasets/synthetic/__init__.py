"""Synthetic graphs with the sizes of OGB's, generated without files."""

from graphkd.datasets.synthetic._generate import generate
from graphkd.datasets.synthetic.plan import ARXIV, PAPERS100M, PRODUCTS, Plan
from graphkd.datasets.synthetic.sources import synthetic_arxiv, synthetic_papers100m, synthetic_products

__all__ = [
    "ARXIV",
    "PAPERS100M",
    "PRODUCTS",
    "Plan",
    "generate",
    "synthetic_arxiv",
    "synthetic_papers100m",
    "synthetic_products",
]
