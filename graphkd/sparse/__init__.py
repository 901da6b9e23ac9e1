"""Sparse matrices, graphs as matrices, and their products."""

from graphkd.sparse.adjacency import Adjacency
from graphkd.sparse.matrix import SparseMatrix
from graphkd.sparse.propagate import propagate
from graphkd.sparse.spmm import Features, as_features, linear, select_rows, spmm

__all__ = [
    "Adjacency",
    "Features",
    "SparseMatrix",
    "as_features",
    "linear",
    "propagate",
    "select_rows",
    "spmm",
]
