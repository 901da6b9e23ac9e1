"""A tiny data set in Planetoid's raw format, gaps in the test block included."""

from __future__ import annotations

import pickle
from collections import defaultdict
from pathlib import Path

import numpy as np
import scipy.sparse

NUM_NODES = 610


def write_planetoid(raw: Path, name: str = "cora", seed: int = 0) -> None:
    """600 nodes and a test block of 8 in 10 places: node 603 and 606 are missing, as in CiteSeer."""
    rng = np.random.RandomState(seed)
    raw.mkdir(parents=True)
    test = np.array([601, 600, 602, 604, 605, 609, 607, 608])
    features = scipy.sparse.random(608, 12, density=0.3, format="csr", random_state=rng, dtype=np.float32)
    onehot = np.eye(3, dtype=np.int32)[rng.randint(3, size=608)]
    onehot[:3] = np.eye(3)
    graph = defaultdict(list)
    graph[5].append(5)
    graph[1] += [2, 2]
    graph[2] += [1, 1]
    for a, b in rng.randint(NUM_NODES, size=(1500, 2)).tolist():
        graph[a].append(b)
        graph[b].append(a)
    parts = {
        "x": features[:60],
        "tx": features[600:],
        "allx": features[:600],
        "y": onehot[:60],
        "ty": onehot[600:],
        "ally": onehot[:600],
        "graph": graph,
    }
    for part, value in parts.items():
        (raw / f"ind.{name}.{part}").write_bytes(pickle.dumps(value, protocol=2))
    (raw / f"ind.{name}.test.index").write_text("\n".join(map(str, test)) + "\n")
