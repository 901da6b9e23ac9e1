"""Numbers of a table's nodes from their ids, by value and type."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from graphkd.errors import GraphKDError
from graphkd.io.ids import plain_ids


@dataclass(frozen=True)
class NodeIds:
    """The ids of ``N`` nodes in the order of their rows; without ids a node's id is its row number.

    Args:
        ids: texts or whole numbers, all distinct, or None.
        count: ``N``.

    Raises:
        GraphKDError: an id is neither, or there are two of one.

    >>> nodes = NodeIds.of(["ada", "bob"], 2)
    >>> nodes.numbers(["bob"]), nodes.named([1, 0])
    (tensor([1]), ['bob', 'ada'])
    >>> nodes.numbers(["eve"])
    Traceback (most recent call last):
        ...
    graphkd.errors.GraphKDError: ids: 'eve' is no node of this model: its 2 nodes begin with 'ada', 'bob'
    """

    ids: list[Any] | None = None
    count: int = 0

    @classmethod
    def of(cls, ids: Sequence[Any] | None, count: int) -> NodeIds:
        """Checks ids, and makes them Python's texts and whole numbers."""
        if ids is None:
            return cls(None, count)
        known = plain_ids(ids, "ids of nodes")
        if len(known) != count or len(set(known)) < count:
            raise GraphKDError(f"there are {len(set(known))} ids for {count} nodes: give each node its own")
        for value in known:
            if not isinstance(value, str | int) or isinstance(value, bool):
                raise GraphKDError(f"the id {value!r} is neither a text nor a whole number: convert it to one")
        return cls(known, count)

    @functools.cached_property
    def _rows(self) -> dict[Any, int]:
        return {value: row for row, value in enumerate(self.ids or ())}

    def numbers(self, ids: Any, where: str = "ids") -> Tensor:
        """Returns the row numbers ``[m]`` of nodes.

        A text that writes a whole number, such as a cell of a csv, stands for the number where ids are numbers.

        Args:
            ids: ``[m]`` of the nodes.
            where: their origin, for messages.

        Raises:
            GraphKDError: one of them is no node.
        """
        given = plain_ids(ids, where)
        if self.ids is None:
            return self._counted(given, where)
        if self._are_numbers:
            given = [_whole(value) for value in given]
        try:
            return torch.tensor([self._rows[value] for value in given], dtype=torch.int64)
        except (KeyError, TypeError):
            raise self._unknown(given, where) from None

    def named(self, numbers: Any) -> list[Any]:
        """Returns the ids of nodes by their row numbers ``[m]``."""
        rows = torch.as_tensor(numbers).tolist()
        return rows if self.ids is None else [self.ids[row] for row in rows]

    @functools.cached_property
    def _are_numbers(self) -> bool:
        return all(isinstance(value, int) for value in self.ids or ())

    def _counted(self, given: list[Any], where: str) -> Tensor:
        rows = [_whole(value) for value in given]
        for row in rows:
            if not isinstance(row, int) or isinstance(row, bool) or not 0 <= row < self.count:
                raise GraphKDError(
                    f"{where}: {row!r} is no node of this model: give numbers from 0 to {self.count - 1}"
                )
        return torch.tensor(rows, dtype=torch.int64)

    def _unknown(self, given: list[Any], where: str) -> GraphKDError:
        value = next(value for value in given if not _is_in(value, self._rows))
        first = ", ".join(repr(each) for each in (self.ids or [])[:3])
        return GraphKDError(
            f"{where}: {value!r} is no node of this model: its {self.count} nodes begin with {first}"
        )


def _whole(value: Any) -> Any:
    """Returns the whole number that a text writes in its only way; anything else as it is."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, str) or not value.lstrip("-").isdecimal() or not value.isascii():
        return value
    return int(value) if str(int(value)) == value else value


def _is_in(value: Any, rows: dict[Any, int]) -> bool:
    try:
        return value in rows
    except TypeError:
        return False
