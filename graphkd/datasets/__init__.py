"""Data sets as ``torch_geometric`` data, checked and preprocessed graphs, splits and settings.

>>> from graphkd.datasets import SETTINGS
>>> list(SETTINGS)
['transductive', 'production', 'inductive', 'cold_start']
"""

from graphkd.datasets._blogcatalog import blogcatalog
from graphkd.datasets._digits import digits
from graphkd.datasets.cpf import cpf_citeseer, cpf_cora
from graphkd.datasets.custom import custom
from graphkd.datasets.graph import Graph
from graphkd.datasets.heterophilous import minesweeper, tolokers
from graphkd.datasets.musae import chameleon
from graphkd.datasets.ogb import ogbn_arxiv, ogbn_papers100m, ogbn_products, ogbn_proteins
from graphkd.datasets.planetoid import citeseer, cora, pubmed
from graphkd.datasets.preprocess import Preprocessing
from graphkd.datasets.setting import SETTINGS, Setting, SettingView
from graphkd.datasets.shchur import computers, cs, photo, physics
from graphkd.datasets.source import Location, Source
from graphkd.datasets.synthetic import synthetic_arxiv, synthetic_papers100m, synthetic_products

__all__ = [
    "SETTINGS",
    "Graph",
    "Location",
    "Preprocessing",
    "Setting",
    "SettingView",
    "Source",
    "blogcatalog",
    "chameleon",
    "citeseer",
    "computers",
    "cora",
    "cpf_citeseer",
    "cpf_cora",
    "cs",
    "custom",
    "digits",
    "minesweeper",
    "ogbn_arxiv",
    "ogbn_papers100m",
    "ogbn_products",
    "ogbn_proteins",
    "photo",
    "physics",
    "pubmed",
    "synthetic_arxiv",
    "synthetic_papers100m",
    "synthetic_products",
    "tolokers",
]
