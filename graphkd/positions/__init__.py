"""Positions of nodes in a graph: vectors made from edges alone, without features or labels.

All of them read the graph as undirected: an edge in either direction joins its ends, of two weights the larger
counts, and self-loops and edges of weight 0 are left out. A node without edges gets zeros.
"""

from graphkd.positions._deepwalk import deepwalk
from graphkd.positions._laplacian import laplacian
from graphkd.positions._random_walk import random_walk
from graphkd.positions.neighbours import neighbour_mean

__all__ = ["deepwalk", "laplacian", "neighbour_mean", "random_walk"]
