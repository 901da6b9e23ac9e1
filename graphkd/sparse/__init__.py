"""Sparse matrices, graphs as matrices, and their products.

>>> import torch
>>> from graphkd.sparse import Adjacency
>>> path = Adjacency(torch.tensor([[0, 1], [1, 2]]), num_nodes=3)
>>> path.normalize("row", self_loops=1).value
tensor([1.0000, 0.5000, 0.5000, 0.5000, 0.5000])
"""

from graphkd.sparse.adjacency import Adjacency
from graphkd.sparse.block import Block, Edges
from graphkd.sparse.edges import edge_products, edge_scores, spmm_edges
from graphkd.sparse.factored import Factored
from graphkd.sparse.features import (
    Features,
    Inputs,
    as_features,
    at_least_single,
    beside,
    check_features,
    linear,
    select_rows,
)
from graphkd.sparse.matrix import SparseMatrix, row_pieces
from graphkd.sparse.order import spmm_linear
from graphkd.sparse.partition import partition
from graphkd.sparse.propagate import POOLINGS, blocks, cheapest, check_pooling, mix, power, propagate
from graphkd.sparse.sample import sample, sample_blocks
from graphkd.sparse.segment import segment_softmax
from graphkd.sparse.share import shared_blocks
from graphkd.sparse.spmm import spmm

__all__ = [
    "POOLINGS",
    "Adjacency",
    "Block",
    "Edges",
    "Factored",
    "Features",
    "Inputs",
    "SparseMatrix",
    "as_features",
    "at_least_single",
    "beside",
    "blocks",
    "cheapest",
    "check_features",
    "check_pooling",
    "edge_products",
    "edge_scores",
    "linear",
    "mix",
    "partition",
    "power",
    "propagate",
    "row_pieces",
    "sample",
    "sample_blocks",
    "segment_softmax",
    "select_rows",
    "shared_blocks",
    "spmm",
    "spmm_edges",
    "spmm_linear",
]
