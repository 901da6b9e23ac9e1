"""A store's update before it is computed: which lists and raw rows change."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.store.arrays import Arrays
from graphkd.deploy.store.inputs import Ids, Weights
from graphkd.deploy.store.lists import Edits
from graphkd.deploy.store.settings import Settings
from graphkd.errors import GraphKDError


def _no_ids() -> Ids:
    return np.zeros(0, dtype=np.int64)


@dataclass
class Transaction:
    """Changes of an update, in terms of the store's lists and rows.

    Args:
        settings: of the store.
        incoming: senders of each node.
        outgoing: receivers of each node; the same object if the graph is undirected.
        rows: ``[m, D]`` new rows of hop 0.
        keys: ``[m]`` ids of their nodes, ascending.
        born: ids of new nodes.
        gone: ids of deleted nodes.
        node_id: id in the data of the new node, or None.
    """

    settings: Settings
    incoming: Edits
    outgoing: Edits
    rows: NDArray[np.float32]
    keys: Ids = field(default_factory=_no_ids)
    born: Ids = field(default_factory=_no_ids)
    gone: Ids = field(default_factory=_no_ids)
    node_id: str | int | None = None

    @classmethod
    def of(cls, arrays: Arrays) -> Transaction:
        """Creates a transaction without changes."""
        incoming = Edits(arrays.incoming)
        outgoing = Edits(arrays.outgoing) if arrays.layout.settings.directed else incoming
        rows = np.zeros((0, arrays.layout.settings.num_features), dtype=np.float32)
        return cls(arrays.layout.settings, incoming, outgoing, rows)

    def rebase(self, arrays: Arrays) -> None:
        """Applies the changes to the same lists in other files."""
        self.incoming.base, self.outgoing.base = arrays.incoming, arrays.outgoing

    def edits(self) -> list[Edits]:
        """Returns the edits of senders and, if the graph is directed, of receivers."""
        return [self.incoming, self.outgoing] if self.settings.directed else [self.incoming]

    def touched(self) -> Ids:
        """Returns the ascending ids of nodes whose senders change, and of new and deleted nodes."""
        changed = np.fromiter(self.incoming.changed, np.int64, len(self.incoming.changed))
        return np.unique(np.concatenate([changed, self.born, self.gone]))

    def put_rows(self, nodes: Ids, rows: NDArray[np.float32]) -> None:
        """Sets new rows ``[m, D]`` of hop 0; of a node listed twice, the last one is used."""
        self.keys, last = np.unique(nodes[::-1], return_index=True)
        self.rows = rows[::-1][last]

    def connect(self, senders: Ids, receivers: Ids, weights: Weights) -> None:
        """Adds edges ``[E]``, or sets the weights of existing ones.

        Raises:
            GraphKDError: an edge with two weights.
        """
        if self.settings.weighted:
            self._check_single(senders, receivers)
        if self.settings.directed:
            self.incoming.put(receivers, senders, weights)
            self.outgoing.put(senders, receivers, weights)
        else:
            ends = np.concatenate([senders, receivers]), np.concatenate([receivers, senders])
            self.incoming.put(*ends, np.concatenate([weights, weights]))

    def disconnect(self, senders: Ids, receivers: Ids) -> None:
        """Deletes edges ``[E]``.

        Raises:
            GraphKDError: one of them does not exist.
        """
        missing = self.incoming.drop(receivers, senders)
        if missing:
            raise GraphKDError(f"there is no edge from {missing[1]} to {missing[0]}: only edges that are there go")
        self.outgoing.drop(senders, receivers)

    def _check_single(self, senders: Ids, receivers: Ids) -> None:
        ends = np.stack([senders, receivers])
        ends = ends if self.settings.directed else np.sort(ends, axis=0)
        distinct, counts = np.unique(ends, axis=1, return_counts=True)
        if (counts > 1).any():
            first, second = distinct[:, counts > 1][:, 0]
            hint = "" if self.settings.directed else " (both directions are the same edge)"
            raise GraphKDError(f"the edge {first} to {second} is listed twice{hint}: give each edge one weight")
