"""Influences: node weights ``[N]`` in [0, 1] of the terms of a loss."""

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
