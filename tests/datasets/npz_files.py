"""Tiny archives in the formats of the real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

NUM_NODES = 240


def graph_arrays(seed: int = 0) -> dict[str, Any]:
    """240 nodes in 3 classes, the last 6 in no edge; directed edges, some self-loops, counts as features."""
    rng = np.random.RandomState(seed)
    ends = rng.randint(NUM_NODES - 6, size=(2, 900))
    ends = np.concatenate([ends, [[3, 5], [3, 5]], np.stack([np.arange(233), np.arange(1, 234)])], axis=1)
    adj = scipy.sparse.csr_matrix((np.ones(ends.shape[1], np.float32), tuple(ends)), (NUM_NODES, NUM_NODES))
    adj.data[:] = 1.0
    attr = scipy.sparse.random(NUM_NODES, 200, density=0.02, format="csr", random_state=rng, dtype=np.float32)
    attr.data = rng.randint(1, 9, attr.nnz).astype(np.float32)
    arrays: dict[str, Any] = {"labels": (np.arange(NUM_NODES) % 3).astype(np.int8)}
    for name, matrix in (("adj", adj), ("attr", attr)):
        parts = (matrix.data, matrix.indices, matrix.indptr, np.array(matrix.shape))
        arrays.update(
            zip((f"{name}_{part}" for part in ("data", "indices", "indptr", "shape")), parts, strict=True)
        )
    return arrays


def splits_arrays(seed: int = 0, num_splits: int = 10) -> dict[str, Any]:
    """240 nodes in 2 classes, each undirected edge once, ten splits into half and two quarters."""
    rng = np.random.RandomState(seed)
    pairs = np.unique(np.sort(rng.randint(NUM_NODES, size=(700, 2)), axis=1), axis=0)
    masks = np.zeros((3, num_splits, NUM_NODES), dtype=bool)
    for number in range(num_splits):
        for mask, part in zip(masks, np.split(rng.permutation(NUM_NODES), [120, 180]), strict=True):
            mask[number, part] = True
    return {
        "node_features": rng.rand(NUM_NODES, 5).astype(np.float32),
        "node_labels": np.arange(NUM_NODES) % 2,
        "edges": pairs[pairs[:, 0] != pairs[:, 1]],
        **dict(zip(("train_masks", "val_masks", "test_masks"), masks, strict=True)),
    }


def write(path: Path, arrays: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)
    return path
