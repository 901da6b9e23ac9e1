"""A graph as plain lists, changed in the plainest way, and recomputed as a whole after every change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from graphkd.deploy import FeatureStore

WIDTH = 3


class Twin:
    """What a store should hold: raw features by id, and the weight of each directed edge (sender, receiver)."""

    def __init__(self, size: int, settings: dict[str, Any], seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.settings, self.weighted = settings, settings["weighted"]
        self.x = dict(enumerate(drawn_rows(rng, size)))
        self.edges: dict[tuple[int, int], float] = {}
        self.next_id = size
        for sender, receiver in rng.integers(0, size, (2 * size, 2)).tolist():
            self.connect(sender, receiver, float(rng.integers(0, 4)) if self.weighted else 1.0)

    def connect(self, sender: int, receiver: int, weight: float) -> None:
        self.edges[sender, receiver] = weight
        if not self.settings["directed"]:
            self.edges[receiver, sender] = weight

    def disconnect(self, sender: int, receiver: int) -> None:
        del self.edges[sender, receiver]
        if not self.settings["directed"] and sender != receiver:
            del self.edges[receiver, sender]

    def remove(self, node: int) -> None:
        del self.x[node]
        self.edges = {ends: weight for ends, weight in self.edges.items() if node not in ends}

    @property
    def ids(self) -> list[int]:
        return sorted(self.x)

    def hops(self) -> NDArray[np.float64]:
        """[n, P + 1, D] in float64, entry by entry."""
        ids, loops = self.ids, self.settings["self_loops"]
        place = {node: at for at, node in enumerate(ids)}
        matrix = np.zeros((len(ids), len(ids)))
        for (sender, receiver), weight in self.edges.items():
            matrix[place[receiver], place[sender]] = weight
        for at, node in enumerate(ids):
            if loops and not (self.weighted and (node, node) in self.edges):
                matrix[at, at] = loops
        degree = matrix.sum(axis=1)
        scaled = np.zeros_like(matrix)
        for i in range(len(ids)):
            for j in range(len(ids)):
                if degree[i] > 0 and degree[j] > 0:
                    scaled[i, j] = matrix[i, j] / np.sqrt(degree[i] * degree[j])
        powers = [np.array([self.prepared(node) for node in ids]).reshape(len(ids), WIDTH)]
        for _ in range(self.settings["hops"]):
            powers.append(scaled @ powers[-1])
        return np.stack(powers, axis=1)

    def prepared(self, node: int) -> NDArray[np.float64]:
        row = self.x[node].astype(np.float64)
        if self.settings["features"] == "binary":
            row = np.array([float(entry != 0) for entry in row])
        total = sum(abs(entry) for entry in row)
        return row / total if self.settings["row_normalize"] and total > 0 else row

    def rows(self) -> NDArray[np.float64]:
        hops, pooling = self.hops(), self.settings["pooling"]
        if pooling == "concat":
            return hops.reshape(len(hops), WIDTH * hops.shape[1])
        return {"mean": np.mean, "max": np.max, "min": np.min}[pooling](hops, axis=1)

    def edge_index(self, renumbered: bool = False) -> NDArray[np.int64]:
        place = {node: at for at, node in enumerate(self.ids)}
        pairs = [(place[a], place[b]) if renumbered else (a, b) for a, b in self.edges]
        return np.array(pairs, dtype=np.int64).reshape(-1, 2).T

    def build(self, path: Path) -> FeatureStore:
        """A new store of the graph as it is, its nodes numbered anew."""
        weight = np.array(list(self.edges.values())) if self.weighted else None
        x = np.array([self.x[node] for node in self.ids], dtype=np.float32).reshape(-1, WIDTH)
        settings = {key: value for key, value in self.settings.items() if key != "weighted"}
        return FeatureStore.build(path, x, self.edge_index(renumbered=True), weight, **settings)


def drawn_rows(rng: np.random.Generator, rows: int) -> NDArray[np.float32]:
    return (rng.standard_normal((rows, WIDTH)) * (rng.random((rows, WIDTH)) < 0.7)).astype(np.float32)


def settings(**fixed: Any) -> st.SearchStrategy[dict[str, Any]]:
    chosen: dict[str, st.SearchStrategy[Any]] = {
        "hops": st.integers(0, 3),
        "self_loops": st.integers(0, 2),
        "pooling": st.sampled_from(["mean", "max", "min", "concat"]),
        "features": st.sampled_from(["stored", "binary"]),
        "row_normalize": st.booleans(),
        "directed": st.booleans(),
        "weighted": st.booleans(),
    }
    return st.fixed_dictionaries({**chosen, **{key: st.just(value) for key, value in fixed.items()}})


def step(store: FeatureStore, twin: Twin, kind: str, seed: int) -> None:
    """One change of both."""
    rng = np.random.default_rng(seed)
    ids, weights = twin.ids, rng.integers(0, 4, 3).astype(float)
    if kind == "insert_node" or not ids:
        others = rng.choice(ids, min(3, len(ids)), replace=False).tolist() if ids else []
        x = drawn_rows(rng, 1)[0]
        assert store.insert_node(x, others, weights[: len(others)] if twin.weighted else None) == twin.next_id
        twin.x[twin.next_id] = x
        for other, weight in zip(others, weights, strict=False):
            twin.connect(other, twin.next_id, float(weight) if twin.weighted else 1.0)
        twin.next_id += 1
    elif kind == "delete_node":
        node = int(rng.choice(ids))
        store.delete_node(node)
        twin.remove(node)
    elif kind == "update_features":
        nodes, x = rng.choice(ids, 2), drawn_rows(rng, 2)
        store.update_features(nodes, x)
        twin.x.update(zip(nodes.tolist(), x, strict=True))
    elif kind == "delete_edges" and twin.edges:
        ends = list(twin.edges)[int(rng.integers(len(twin.edges)))]
        store.delete_edges([[ends[0]], [ends[1]]])
        twin.disconnect(*ends)
    else:
        pairs = {tuple(sorted(rng.choice(ids, 2).tolist())): weight for weight in weights}
        given = np.array(list(pairs.values())) if twin.weighted else None
        store.insert_edges(np.array(list(pairs)).T, given)
        for (a, b), weight in pairs.items():
            twin.connect(a, b, float(weight) if twin.weighted else 1.0)


KINDS = ("insert_node", "delete_node", "update_features", "delete_edges", "insert_edges")
