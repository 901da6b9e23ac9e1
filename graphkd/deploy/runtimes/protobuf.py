"""Parsing of protobuf messages whose fields are known, without the ``protobuf`` package."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Fields:
    """A parsed protobuf message.

    Args:
        values: field number → its values in the order of the file: integers or bytes.
    """

    values: dict[int, list[int | bytes]] = field(default_factory=dict)

    @classmethod
    def of(cls, content: bytes, known: set[int]) -> Fields:
        """Parses a message.

        Raises:
            ValueError: it is truncated, or has a field that is not in ``known``.
        """
        values = _fields(content)
        if not values.keys() <= known:
            raise ValueError(f"it holds more than a student (field {min(values.keys() - known)})")
        return cls(values)

    def parts(self, number: int, known: set[int]) -> list[Fields]:
        """Returns the messages in a field."""
        return [Fields.of(part, known) for part in self.contents(number)]

    def contents(self, number: int) -> list[bytes]:
        """Returns the bytes in a field."""
        return [value for value in self.values.get(number, ()) if isinstance(value, bytes)]

    def text(self, number: int) -> str:
        """Returns the string in a field; empty if the field is absent."""
        return b"".join(self.contents(number)[-1:]).decode()

    def integers(self, number: int) -> list[int]:
        """Returns the integers in a field, packed or not."""
        integers: list[int] = []
        for value in self.values.get(number, []):
            integers += [value] if isinstance(value, int) else list(_packed(value))
        return integers


def _packed(content: bytes) -> Iterator[int]:
    position = 0
    while position < len(content):
        value, position = _varint(content, position)
        yield value


def _fields(content: bytes) -> dict[int, list[int | bytes]]:
    """Returns the values of a message by field; integers of one byte, nearly all, are read in place."""
    values: dict[int, list[int | bytes]] = {}
    position, end = 0, len(content)
    while position < end:
        key, position = content[position], position + 1
        if key & 128:
            key, position = _varint(content, position - 1)
        kind = key & 7
        if kind == 1 or kind == 5:
            size = 8 if kind == 1 else 4
        elif kind != 0 and kind != 2:
            raise ValueError("it is no ONNX file")
        elif position < end and content[position] < 128:
            size, position = content[position], position + 1
        else:
            size, position = _varint(content, position)
        if kind == 0:
            values.setdefault(key >> 3, []).append(size)
            continue
        if position + size > end:
            raise ValueError("it is cut")
        values.setdefault(key >> 3, []).append(content[position : position + size])
        position += size
    return values


def _varint(content: bytes, place: int) -> tuple[int, int]:
    """Reads a varint, seven bits per byte, and returns it with the position after it."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(content):
            raise ValueError("it is cut")
        byte = content[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    raise ValueError("it is no ONNX file")
