"""A feature store on LMDB with the update mathematics of ``graphkd.deploy.store``: a prototype, to be measured.

Undirected graphs without weights or positions. What `journal`, `recovery`, `writer`, `reading`, `disk`, `files`
and `arrays` do there is done by LMDB here: one writer, readers of one version each, updates that are atomic and on
disk when they return.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.store import operations
from graphkd.deploy.store.build import BLOCK, _lists
from graphkd.deploy.store.inputs import Ids, as_ids, as_rows
from graphkd.deploy.store.kernel import Rows, mixed, place_in, roots, sums
from graphkd.deploy.store.layout import ENTRY
from graphkd.deploy.store.lists import Neighbours, packed
from graphkd.deploy.store.new_node import new_node_hops
from graphkd.deploy.store.settings import Settings
from graphkd.deploy.store.transaction import Transaction
from graphkd.deploy.store.update import _Degrees, _with_zeros

try:
    import lmdb
except ModuleNotFoundError:
    sys.exit("this experiment needs lmdb: pip install lmdb")

MAP_BYTES = 2**36
"""Reserved address space, beyond which the store cannot grow."""

NODE = np.dtype([("degree", "<f8"), ("diagonal", "<f8")])
NAMES = (b"hops", b"nodes", b"lists", b"meta")
NO_IDS = np.zeros(0, dtype=np.int64)


class Table:
    """Records of nodes, read like an array: the key is the id in 8 big-endian bytes; a missing one is zeros."""

    def __init__(self, txn: Any, db: Any, kind: Any, shape: tuple[int, ...] = ()) -> None:
        self.txn, self.db, self.kind, self.inner = txn, db, np.dtype(kind), shape
        self.bytes = self.kind.itemsize * int(np.prod(shape, dtype=np.int64))

    def values(self, ids: Ids) -> list[Any]:
        keys, empty = [key_of(node) for node in ids.tolist()], bytes(self.bytes)
        with self.txn.cursor(self.db) as cursor:
            found = cursor.getmulti(keys)
        if len(found) < len(keys):
            known = {bytes(key): value for key, value in found}
            return [known.get(key, empty) for key in keys]
        return [value for _, value in found]

    def __getitem__(self, ids: Any) -> Any:
        if isinstance(ids, str):
            return Field(self, ids)
        joined = b"".join([value[: self.bytes] for value in self.values(ids)])
        return np.frombuffer(joined, self.kind).reshape(len(ids), *self.inner).copy()


class Field:
    """One field of the records."""

    def __init__(self, table: Table, name: str) -> None:
        self.table, self.name = table, name

    def __getitem__(self, ids: Any) -> NDArray[Any]:
        return self.table[ids][self.name].copy()


class Lists(Table):
    """Neighbours of nodes; stands for ``graphkd.deploy.store.lists.Lists`` below ``Edits``."""

    index = SimpleNamespace(size=2**62)

    def read(self, node: int) -> tuple[Ids, NDArray[np.float64]]:
        lists = self.gather(np.array([node]))
        return lists.ids, lists.weights

    def gather(self, nodes: Ids) -> Neighbours:
        parts = [value[:-4] for value in self.values(nodes)]
        entries = np.frombuffer(b"".join(parts), ENTRY)
        counts = np.array([len(part) for part in parts], dtype=np.int64) // ENTRY.itemsize
        return Neighbours(counts, entries["node"].astype(np.int64), entries["weight"].astype(np.float64))


class Snapshot:
    """One version of the store; stands for ``graphkd.deploy.store.arrays.Arrays``."""

    def __init__(self, txn: Any, dbs: dict[bytes, Any], settings: Settings) -> None:
        self.txn, self.dbs = txn, dbs
        self.hops = Table(txn, dbs[b"hops"], np.float32, (settings.hops + 1, settings.num_features))
        self.nodes = Table(txn, dbs[b"nodes"], NODE)
        self.incoming = self.outgoing = Lists(txn, dbs[b"lists"], np.uint8, (4,))
        self.next_id = int.from_bytes(txn.get(b"next_id", db=dbs[b"meta"]), "little")
        self.layout = SimpleNamespace(settings=settings, capacity=self.next_id)

        self.alive = self.nodes["degree"]
        """Above zero where a node exists, since ``s > 0``."""


class LmdbStore:
    """The operations of ``FeatureStore`` that are measured."""

    writemap = False
    """Whether LMDB writes through its map, where a full disk kills the process."""

    def __init__(self, path: Path, settings: Settings, write: bool = False) -> None:
        self.settings = settings
        options = {"readonly": not write, "readahead": False, "writemap": self.writemap}
        self.env = lmdb.open(str(path), map_size=MAP_BYTES, max_dbs=len(NAMES), **options)
        self.dbs = {name: self.env.open_db(name, create=write) for name in NAMES}
        self._values = (settings.hops + 1) * settings.num_features
        self._shape = -1, settings.hops + 1, settings.num_features

    @classmethod
    def build(cls, path: Path, x: Any, edge_index: Any, hops: int) -> LmdbStore:
        store = cls(path, Settings(x.shape[1], hops), write=True)
        settings, rows = store.settings, as_rows(x, store.settings)
        lists, ids = _lists(len(rows), settings, edge_index, None)[0], np.arange(len(rows))
        degree, diagonal = sums(ids, lists, settings)
        table, root, starts = (
            np.empty((len(rows), hops + 1, x.shape[1]), np.float32),
            roots(degree),
            lists.starts(),
        )
        ends = starts + lists.counts
        table[:, 0] = settings.prepare(rows)
        for hop in range(1, hops + 1):
            before = Rows(table[:, hop - 1], NO_IDS, rows[:0])
            for begin in range(0, len(rows), BLOCK):
                part = slice(begin, begin + BLOCK)
                entries = slice(starts[part][0], ends[part][-1])
                own = Neighbours(lists.counts[part], lists.ids[entries], lists.weights[entries])
                table[part, hop] = mixed(ids[part], own, diagonal[part], root[part], root[own.ids], before)
        entries = packed(lists.ids, lists.weights)
        with store.env.begin(write=True) as txn:
            store._put(txn, b"hops", ((node, summed(table[node].tobytes())) for node in ids.tolist()), True)
            records = np.rec.fromarrays([degree, diagonal], dtype=NODE)
            store._put(txn, b"nodes", ((node, records[node].tobytes()) for node in ids.tolist()), True)
            parts = ((node, summed(entries[starts[node] : ends[node]].tobytes())) for node in ids.tolist())
            store._put(txn, b"lists", parts, True)
            txn.put(b"next_id", len(rows).to_bytes(8, "little"), db=store.dbs[b"meta"])
        return store

    def row(self, node: int) -> NDArray[np.float32]:
        with self.env.begin(buffers=True) as txn:
            value = txn.get(node.to_bytes(8, "big"), db=self.dbs[b"hops"])
            if value is None:
                raise KeyError(node)
            pooled: NDArray[np.float32] = self.settings.pool(
                np.frombuffer(value, np.float32, self._values).reshape(self._shape)
            )[0]
            return pooled

    def rows(self, nodes: Any) -> NDArray[np.float32]:
        ids = as_ids(nodes)
        with self.env.begin(buffers=True) as txn:
            found = Table(txn, self.dbs[b"hops"], np.float32, self._shape[1:])
            return self.settings.pool(found[ids])

    def row_for(self, x: Any, neighbours: Any) -> NDArray[np.float32]:
        with self.env.begin(buffers=True) as txn:
            view: Any = Snapshot(txn, self.dbs, self.settings)
            pooled: NDArray[np.float32] = self.settings.pool(
                new_node_hops(view, *operations.newcomer(view, x, neighbours, None))
            )[0]
            return pooled

    def neighbours(self, node: int) -> tuple[Ids, NDArray[np.float64]]:
        with self.env.begin(buffers=True) as txn:
            return Lists(txn, self.dbs[b"lists"], np.uint8, (4,)).read(node)

    @property
    def nodes(self) -> Ids:
        with self.env.begin() as txn, txn.cursor(self.dbs[b"nodes"]) as cursor:
            return np.frombuffer(b"".join(cursor.iternext(values=False)), ">i8").astype(np.int64)

    def insert_node(self, x: Any, neighbours: Any) -> int:
        draft = self._update(partial(operations.insert_node, x=x, neighbours=neighbours, weights=None))
        return int(draft.born[0])

    def delete_node(self, node: int) -> None:
        self._update(partial(operations.delete_node, node=node))

    def insert_edges(self, edge_index: Any) -> None:
        self._update(partial(operations.insert_edges, edge_index=edge_index, edge_weight=None))

    def delete_edges(self, edge_index: Any) -> None:
        self._update(partial(operations.delete_edges, edge_index=edge_index))

    def update_features(self, nodes: Any, x: Any) -> None:
        self._update(partial(operations.update_features, nodes=nodes, x=x))

    def verify(self) -> None:
        """Compares rows and lists with their checksums; LMDB has none of its own."""
        with self.env.begin(buffers=True) as txn:
            for name in (b"hops", b"lists"):
                for key, value in txn.cursor(self.dbs[name]):
                    if zlib.crc32(value[:-4]).to_bytes(4, "little") != bytes(value[-4:]):
                        raise ValueError(f"{name!r} of node {int.from_bytes(key, 'big')} is damaged")

    def close(self) -> None:
        self.env.close()

    def _update(self, plan: Callable[[Any], Transaction]) -> Transaction:
        with self.env.begin(write=True, buffers=True) as txn:
            view = Snapshot(txn, self.dbs, self.settings)
            draft = plan(view)
            degrees, changes = _computed(draft, view)
            self._write(txn, view, draft, degrees, changes)
        return draft

    def _write(self, txn: Any, view: Snapshot, draft: Transaction, degrees: _Degrees, changes: Any) -> None:
        dirty = np.setdiff1d(np.concatenate([ids for ids, _ in changes]), draft.gone)
        table = view.hops[dirty]
        for hop, (ids, rows) in enumerate(changes):
            place = place_in(dirty, ids)
            table[place[place >= 0], hop] = rows[place >= 0]
        kept = ~np.isin(degrees.touched, draft.gone)
        records = np.rec.fromarrays([degrees.degree, degrees.diagonal], dtype=NODE)[kept]
        lists = [
            (node, packed(*draft.incoming.changed[node]).tobytes()) for node in sorted(draft.incoming.changed)
        ]
        gone = set(draft.gone.tolist())
        nodes = degrees.touched[kept].tolist()
        self._put(
            txn, b"hops", ((node, summed(row.tobytes())) for node, row in zip(dirty.tolist(), table, strict=True))
        )
        self._put(txn, b"nodes", ((node, record.tobytes()) for node, record in zip(nodes, records, strict=True)))
        self._put(txn, b"lists", ((node, summed(entries)) for node, entries in lists if node not in gone))
        if draft.born.size:
            self._put(
                txn, b"lists", ((node, summed(b"")) for node in draft.born.tolist() if node not in dict(lists))
            )
            txn.put(b"next_id", (int(draft.born[-1]) + 1).to_bytes(8, "little"), db=self.dbs[b"meta"])
        for node in gone:
            for name in (b"hops", b"nodes", b"lists"):
                txn.delete(key_of(node), db=self.dbs[name])

    def _put(self, txn: Any, name: bytes, records: Any, append: bool = False) -> None:
        with txn.cursor(self.dbs[name]) as cursor:
            cursor.putmulti(((key_of(node), value) for node, value in records), append=append)


def key_of(node: int) -> bytes:
    return node.to_bytes(8, "big")


def summed(content: bytes) -> bytes:
    """Content and its checksum."""
    return content + zlib.crc32(content).to_bytes(4, "little")


def _computed(draft: Transaction, view: Any) -> tuple[_Degrees, list[tuple[Ids, NDArray[np.float32]]]]:
    """As ``graphkd.deploy.store.update.compute_update``, for rows that are gathered once per hop."""
    degrees = _Degrees(draft, view)
    changes = [_with_zeros(draft)]
    always = np.union1d(degrees.touched, _receivers(draft, degrees.changed()))
    for hop in range(1, draft.settings.hops + 1):
        before = changes[-1]
        dirty = np.unique(np.concatenate([always, _receivers(draft, before[0]), before[0]]))
        lists = draft.incoming.gather(dirty)
        needed = np.union1d(dirty, lists.ids)
        base = view.hops[needed][:, hop - 1]
        place = place_in(needed, before[0])
        base[place[place >= 0]] = before[1][place >= 0]
        root, local = roots(degrees.of(needed, "degree")), np.searchsorted(needed, lists.ids)
        own = np.searchsorted(needed, dirty)
        diagonal, rows = degrees.of(dirty, "diagonal"), Rows(base, NO_IDS, base[:0])
        near = Neighbours(lists.counts, local, lists.weights)
        changes.append((dirty, mixed(own, near, diagonal, root[own], root[local], rows)))
    return degrees, changes


def _receivers(draft: Transaction, nodes: Ids) -> Ids:
    return np.unique(draft.outgoing.gather(nodes).ids)
