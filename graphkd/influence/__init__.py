"""Influences: node weights ``[N]`` in [0, 1] of the terms of a loss.

>>> import torch
>>> from graphkd.influence import degree
>>> degree(torch.zeros(3, 1), torch.tensor([[0, 0, 1], [1, 2, 2]]))
tensor([1.0000, 0.5000, 0.0000])
"""

from graphkd.influence._betweenness import betweenness
from graphkd.influence._confidence import confidence
from graphkd.influence._degree import degree
from graphkd.influence._infgrand import infgrand
from graphkd.influence._infgrand_per_class import infgrand_per_class
from graphkd.influence._kcore import kcore
from graphkd.influence._pagerank import pagerank
from graphkd.influence._random_uniform import random_uniform
from graphkd.influence._random_walk import random_walk
from graphkd.influence._reliability import reliability
from graphkd.influence._shuffled import shuffled
from graphkd.influence._uniform import uniform

__all__ = [
    "betweenness",
    "confidence",
    "degree",
    "infgrand",
    "infgrand_per_class",
    "kcore",
    "pagerank",
    "random_uniform",
    "random_walk",
    "reliability",
    "shuffled",
    "uniform",
]
