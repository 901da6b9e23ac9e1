"""What an ONNX file may hold: the operators that ``graphkd export`` writes, on the student's own weights.

A bundle may come from somebody else. ONNX can name files of this machine as weights, and has loops: a file with
anything else in it is refused before ONNX Runtime sees it. It is read here with a few lines, since a machine that
only answers has no ``onnx`` package.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from graphkd.deploy.network import FloatArray, Network

OPERATORS = {
    *("Abs", "Cast", "Equal", "Greater", "Mul", "Not", "Reciprocal", "ReduceSum", "Where"),
    *("Gemm", "LayerNormalization", "Relu", "QuantizeLinear", "DequantizeLinear"),
}
"""All work row by row or entry by entry, and none takes a part of the graph as an argument."""

SIZES = {1: 4, 2: 1, 3: 1, 6: 4, 7: 8, 9: 1, 11: 8}
"""Bytes of the numbers of a tensor, by ONNX's code: float, uint8, int8, int32, int64, bool, double."""

MODEL = {1, 2, 3, 4, 5, 6, 7, 8, 14}
GRAPH = {1, 2, 5, 10, 11, 12, 13, 14, 16}
NODE = {1, 2, 3, 4, 5, 6, 7, 9}
ATTRIBUTE = {1, 2, 3, 4, 7, 8, 13, 20}
TENSOR = {1, 2, 4, 5, 7, 8, 9, 10, 12, 16}
"""Fields by number. Not among them: functions, training, subgraphs, sparse tensors, data outside the file."""

MOST_NODES = 64
"""Of a layer, which has a dozen in 8 bits, and of the preprocessing."""


@dataclass
class Fields:
    """One message of protobuf.

    Args:
        values: number of the field → what it holds, in the order of the file: whole numbers, or bytes.
    """

    values: dict[int, list[int | memoryview]] = field(default_factory=dict)

    @classmethod
    def of(cls, content: memoryview, known: set[int]) -> Fields:
        """Reads a message.

        Raises:
            ValueError: it is cut, or has a field that is not among the known ones.
        """
        values: dict[int, list[int | memoryview]] = {}
        for number, value in _fields(content):
            values.setdefault(number, []).append(value)
        if unknown := sorted(values.keys() - known):
            raise ValueError(f"it holds more than a student (field {unknown[0]})")
        return cls(values)

    def parts(self, number: int, known: set[int]) -> list[Fields]:
        """The messages in a field."""
        return [Fields.of(part, known) for part in self.contents(number)]

    def contents(self, number: int) -> list[memoryview]:
        """The bytes in a field."""
        return [value for value in self.values.get(number, []) if isinstance(value, memoryview)]

    def text(self, number: int) -> str:
        """The text in a field, empty where there is none."""
        return bytes(b"".join(self.contents(number)[-1:])).decode()

    def integers(self, number: int) -> list[int]:
        """The whole numbers in a field, packed or one by one."""
        found: list[int] = []
        for value in self.values.get(number, []):
            found += [value] if isinstance(value, int) else list(_packed(value))
        return found


def check_onnx(model: bytes, network: Network) -> None:
    """Refuses a file that is not this student as ``graphkd export`` writes it.

    Args:
        model: content of the file.
        network: of the same bundle.

    Raises:
        ValueError: it holds another operator, data outside itself, arrays of other shapes or other weights.
    """
    (graph,) = Fields.of(memoryview(model), MODEL).parts(7, GRAPH)
    nodes = graph.parts(1, NODE)
    if len(nodes) > MOST_NODES * (1 + len(network.layers)):
        raise ValueError(f"it has {len(nodes)} operations")
    for node in nodes:
        _check_node(node)
    weights = [layer.weight for layer in network.layers]
    shapes = {(), (1,), *(weight.shape for weight in weights), *(weight.shape[:1] for weight in weights)}
    made = 0
    for part in graph.parts(5, TENSOR):
        shape = _shape_of(part)
        if shape not in shapes:
            raise ValueError(f"it holds an array {list(shape)}, which is none of the student's")
        if len(shape) == 2 and part.integers(2) == [1]:
            found = np.frombuffer(part.contents(9)[0], np.float32).reshape(shape)
            if made >= len(weights) or not _near(found, weights[made]):
                raise ValueError("its weights are not those of the bundle")
            made += 1


def _near(found: FloatArray, weight: FloatArray) -> bool:
    """Whether they are the same, or so but for the digits of an older way to fold a normalisation."""
    return np.array_equal(found, weight) or np.allclose(found, weight, rtol=1e-4, atol=1e-6)


def _check_node(node: Fields) -> None:
    kind = node.text(4)
    if kind not in OPERATORS or node.text(7):
        raise ValueError(f"it holds the operator {kind!r}, which no student has")
    attributes = {part.text(1): part for part in node.parts(5, ATTRIBUTE)}
    if kind == "Gemm":
        turned = [attributes[name].integers(3) if name in attributes else [0] for name in ("transA", "transB")]
        if turned != [[0], [1]]:
            raise ValueError("a product of its has other sides")


def _shape_of(part: Fields) -> tuple[int, ...]:
    """The shape of an array whose numbers are all there.

    Raises:
        ValueError: they are not.
    """
    shape, kind = tuple(part.integers(1)), part.integers(2)
    count, raw = math.prod(shape), part.contents(9)
    if len(kind) != 1 or kind[0] not in SIZES:
        raise ValueError(f"it holds an array of type {kind}")
    inside = len(raw[0]) == count * SIZES[kind[0]] if raw else _listed(part) == count
    if not inside or part.values.get(14):
        raise ValueError("it holds an array whose numbers are elsewhere")
    return shape


def _listed(part: Fields) -> int:
    """How many numbers stand in the fields of an array that has them one by one."""
    wide = sum(len(content) // size for number, size in ((4, 4), (10, 8)) for content in part.contents(number))
    return wide + sum(len(part.integers(number)) for number in (5, 7))


def _packed(content: memoryview) -> Iterator[int]:
    place = 0
    while place < len(content):
        value, place = _varint(content, place)
        yield value


def _fields(content: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    place, end = 0, len(content)
    while place < end:
        key, place = _varint(content, place)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, place = _varint(content, place)
            yield number, value
            continue
        if kind == 2:
            size, place = _varint(content, place)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError("it is no ONNX file")
        if place + size > end:
            raise ValueError("it is cut")
        yield number, content[place : place + size]
        place += size


def _varint(content: Sequence[int], place: int) -> tuple[int, int]:
    """A whole number of seven bits a byte, and where the next thing begins."""
    if place < len(content) and content[place] < 128:  # nearly all are this short
        return content[place], place + 1
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
