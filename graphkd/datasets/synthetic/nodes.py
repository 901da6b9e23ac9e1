"""Communities, labels, features and split of a synthetic graph."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graphkd.datasets.synthetic.plan import Plan

ROWS = 1 << 18
"""Rows per block in which features are drawn, so that no second matrix ``[N, D]`` is allocated."""


def communities(plan: Plan, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draws ``[N]`` communities; their sizes follow Zipf's law exactly, with at least 3 nodes each."""
    shares = (1.0 + np.arange(plan.num_classes)) ** -plan.class_exponent
    spare = plan.num_nodes - 3 * plan.num_classes
    until = np.round(np.cumsum(shares / shares.sum()) * spare).astype(np.int64)
    sizes = 3 + until - np.concatenate([[0], until[:-1]])
    return rng.permutation(np.repeat(np.arange(plan.num_classes), sizes))


def labels(plan: Plan, community: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draws ``[N]`` labels: the community; for a fraction ``label_noise`` of the nodes, that of another node."""
    wrong = rng.random(plan.num_nodes) < plan.label_noise
    y = community.copy()
    y[wrong] = community[rng.integers(plan.num_nodes, size=int(wrong.sum()))]
    return y


def features(plan: Plan, community: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float32]:
    """Draws ``x_i = signal · u_{z_i} + ε_i``, ``[N, D]``: a unit vector ``u`` per community, normal ``ε``."""
    centre = rng.standard_normal((plan.num_classes, plan.num_features), dtype=np.float32)
    centre *= plan.signal / np.linalg.norm(centre, axis=1, keepdims=True)
    x = np.empty((plan.num_nodes, plan.num_features), dtype=np.float32)
    for start in range(0, plan.num_nodes, ROWS):
        block = x[start : start + ROWS]
        rng.standard_normal(dtype=np.float32, out=block)
        block += centre[community[start : start + ROWS]]
    return x


def split(plan: Plan, rng: np.random.Generator) -> tuple[NDArray[np.bool_], ...]:
    """Draws three masks ``[N]`` with the plan's shares."""
    order = rng.permutation(plan.num_nodes)
    bounds = np.round(np.cumsum(plan.shares) * plan.num_nodes).astype(np.int64)
    parts = np.split(order, bounds)[:3]
    masks = np.zeros((3, plan.num_nodes), dtype=bool)
    for mask, part in zip(masks, parts, strict=True):
        mask[part] = True
    return tuple(masks)
