"""Positions of nodes: those of training keep the bundle's vectors, others have the mean of their neighbours'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.nodes import check_nodes
from graphkd.deploy.store.arrays import Arrays
from graphkd.deploy.store.inputs import Ids
from graphkd.deploy.store.layout import position_type
from graphkd.deploy.store.lists import Neighbours, checksum
from graphkd.errors import GraphKDError


@dataclass(frozen=True)
class Observed:
    """Positions of the nodes of training, and which nodes of a graph these are.

    Args:
        vectors: ``[n, d]`` float32.
        numbers: ``[N]``, the number of each node among those of training, −1 for another one.
    """

    vectors: NDArray[np.float32]
    numbers: Ids

    @classmethod
    def of(cls, vectors: NDArray[np.float32], nodes: Any, count: int) -> Observed:
        """Checks the numbers of a graph's ``count`` nodes.

        Raises:
            GraphKDError: they are missing, not one per node, or no numbers of nodes.
        """
        if nodes is None:
            raise GraphKDError(
                f"this student reads positions: pass nodes=, the number of each row among the {len(vectors)} "
                "nodes of training, −1 for a new node"
            )
        return cls(vectors, check_nodes(nodes, count, len(vectors)))

    def records(self, part: slice) -> NDArray[Any]:
        """Returns the records of some nodes, see ``layout.position_type``."""
        numbers = self.numbers[part]
        made, known = np.zeros(numbers.size, dtype=position_type(self.vectors.shape[1])), numbers >= 0
        vectors = self.vectors[numbers[known]]
        made["observed"], made["vector"][known] = known, vectors
        made["crc"][known] = [checksum(vector) for vector in vectors]
        return made


def positions_of(arrays: Arrays, ids: Ids) -> NDArray[np.float32]:
    """Returns the positions ``[B, d]`` of nodes ``[B]``.

    The mean is taken when it is read: an update of edges has nothing to recompute.
    """
    records = arrays.positions[ids]
    vectors: NDArray[np.float32] = records["vector"]
    new = records["observed"] == 0
    if new.any():
        vectors[new] = means_of(arrays, arrays.incoming.gather(ids[new]))
    return vectors


def means_of(arrays: Arrays, lists: Neighbours) -> NDArray[np.float32]:
    """Computes the mean ``[n, d]`` of the observed nodes' vectors in each of ``n`` lists, zeros without any.

    Every listed neighbour counts once, whatever its edge's weight, as in ``graphkd.encoders.NodeVectors``.
    """
    used = arrays.positions["observed"][lists.ids] == 1
    owner = np.repeat(np.arange(lists.counts.size), lists.counts)[used]
    total = np.zeros((lists.counts.size, arrays.layout.settings.dim), dtype=np.float32)
    np.add.at(total, owner, arrays.positions["vector"][lists.ids[used]])
    count = np.bincount(owner, minlength=lists.counts.size).clip(min=1).astype(np.float32)
    return np.divide(total, count[:, None], dtype=np.float32)


def position_fits(arrays: Arrays, node: int) -> bool:
    """Returns whether the record of a node's position is consistent."""
    if not arrays.layout.settings.dim:
        return True
    record = arrays.positions[node]
    if record["observed"] == 1:
        return bool(arrays.alive[node]) and int(record["crc"]) == checksum(np.ascontiguousarray(record["vector"]))
    return not any(record.tobytes())
