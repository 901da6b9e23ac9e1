"""Ids that the nodes of a store have in the data it was built from, and their lookup."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.atomic_io import read_regular, sha256
from graphkd.checks import is_whole
from graphkd.deploy.store.arrays import Arrays
from graphkd.deploy.store.inputs import check_known
from graphkd.errors import GraphKDError
from graphkd.io.ids import plain_ids

IDS = "ids.json"
"""File of the ids, in the order of the nodes' numbers."""

KINDS = ("text", "number", "both")
"""Kinds of ids: texts, whole numbers, or some of both."""

LARGEST = 2**64
"""Whole numbers whose absolute value reaches it are no ids."""

Id = str | int


@dataclass(frozen=True)
class NodeIds:
    """Ids of the nodes 0 to N − 1 of a store, which do not change, and of nodes that were inserted with one.

    Texts and whole numbers keep their type: ``"7"`` is not ``7``.

    Args:
        ids: ``[N]`` different texts and whole numbers.
        inserted: id → number of the nodes inserted later.
    """

    ids: tuple[Id, ...]
    inserted: Mapping[Id, int] = field(default_factory=dict)

    @classmethod
    def of(cls, ids: Any, count: int, where: str = "ids") -> NodeIds:
        """Checks ids and converts them to Python values.

        Args:
            ids: ``[N]`` array, series or sequence of texts and whole numbers.
            count: ``N``.
            where: origin of the ids, for error messages.

        Raises:
            GraphKDError: an id is neither text nor whole number, or is there twice, or there are not ``N``.
        """
        found = cls(tuple(plain_ids(ids, where)))
        if fault := found.fault(count):
            raise GraphKDError(f"{where} {fault}: give each node one text or whole number of its own")
        return found

    def fault(self, count: int) -> str:
        """Returns what is wrong with the ids of ``count`` nodes, or an empty string."""
        if len(self.ids) != count:
            return f"has {len(self.ids)} entries for {count} nodes"
        for row, value in enumerate(self.ids):
            if not isinstance(value, str) and not (is_whole(value) and abs(value) < LARGEST):
                return f"holds {_shown(value)} of type {type(value).__name__} in row {row}"
        if len(self.numbers) != len(self.ids):
            seen: set[Id] = set()
            twice = next(each for each in self.ids if each in seen or seen.add(each))  # type: ignore[func-returns-value]
            return f"holds {twice!r} twice"
        return ""

    @functools.cached_property
    def numbers(self) -> dict[Id, int]:
        """Id → number of the node."""
        return {value: number for number, value in enumerate(self.ids)}

    @functools.cached_property
    def kind(self) -> str:
        """One of ``KINDS``."""
        texts = sum(isinstance(value, str) for value in self.ids)
        return "text" if texts == len(self.ids) else "both" if texts else "number"

    def numbers_of(self, nodes: Sequence[Any] | NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns the numbers ``[B]`` of nodes; whole numbers are numbers already where every id is a text.

        Raises:
            NodeError: there is no such id.
        """
        if self.kind == "text" and isinstance(nodes, np.ndarray) and nodes.dtype == np.int64:
            return nodes
        found = np.empty(len(nodes), dtype=np.int64)
        for index, node in enumerate(nodes):
            if self.kind == "text" and is_whole(node) and -(2**63) <= node < 2**63:
                found[index] = node
                continue
            number = self.number_of(node) if isinstance(node, str) or is_whole(node) else None
            if number is None:
                known = f"the store has ids such as {_shown(self.ids[0])}" if self.ids else "its nodes have none"
                raise NodeError(f"there is no node with the id {_shown(node)}: {known}", index)
            found[index] = number
        return found

    def number_of(self, value: Id) -> int | None:
        """Returns the number of the node with an id, the last one that had it, or None."""
        return self.inserted.get(value, self.numbers.get(value))

    def checked(self, value: Any) -> Id:
        """Returns the id of a node to insert as a Python value.

        Raises:
            GraphKDError: it is no id, or of another kind than the others.
        """
        (found,) = NodeIds.of([value], 1, "node_id").ids
        if self.kind != "both" and isinstance(found, str) != (self.kind == "text"):
            raise GraphKDError(f"node_id is {_shown(found)}, but ids of this store are {self.kind}s: give one")
        return found

    def to_bytes(self) -> bytes:
        """Returns the content of the file."""
        return json.dumps(self.ids, ensure_ascii=False).encode()


class NodeError(GraphKDError):
    """A node that is asked for and is not in the store.

    Args:
        message: the line.
        index: of the node among those that are asked for.
    """

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message)
        self.index = index


def check_named(numbers: NDArray[np.int64], names: Sequence[Any] | NDArray[np.int64], arrays: Arrays) -> None:
    """Checks that nodes found by their ids are in the store.

    Args:
        numbers: ``[B]``.
        names: ``[B]`` ids or numbers by which they were asked for.
        arrays: of the store.

    Raises:
        NodeError: a node was deleted, or there never was one of this number.
    """
    known = (numbers >= 0) & (numbers < arrays.next_id)
    known[known] = arrays.alive[numbers[known]] != 0
    if known.all():
        return
    index = int((~known).argmax())
    if isinstance(names[index], str):
        raise NodeError(f"the node with the id {_shown(names[index])} was deleted", index)
    try:
        check_known(numbers[index : index + 1], arrays.next_id, arrays.alive)
    except GraphKDError as error:
        raise NodeError(str(error), index) from None


def read_ids(folder: Path, digest: str, most: int, inserted: Mapping[Id, int] | None = None) -> NodeIds:
    """Reads and checks the file of ids.

    Args:
        folder: of the store.
        digest: of the file's content.
        most: number of nodes that the store has or had.
        inserted: id → number of the nodes inserted later.

    Raises:
        GraphKDError: the file is missing or was changed, or does not hold ids.
    """
    file = folder / IDS
    try:
        content = read_regular(file)
    except OSError as error:
        raise GraphKDError(f"{file} cannot be read ({error.strerror}): build the store again") from None
    if sha256(content) != digest:
        raise GraphKDError(f"{file} is truncated or was changed: build the store again")
    try:
        values = json.loads(content)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, list) or len(values) > most or NodeIds(tuple(values)).fault(len(values)):
        raise GraphKDError(f"{file} does not hold an id per node: build the store again")
    return NodeIds(tuple(values), {} if inserted is None else inserted)


def _shown(value: Any) -> str:
    if is_whole(value) and abs(value) >= 10**40:  # may have too many digits for a text
        return "a huge number"
    return repr(value[:40]) if isinstance(value, str) else str(value)[:40]
