"""Validation of ONNX files: only the operators that ``graphkd export`` writes, with the student's own weights.

A bundle may be from an untrusted source, and an ONNX file may load weights from local files and contain loops: a
file with any other content is refused before it is passed to ONNX Runtime. It is parsed by
``graphkd.deploy.runtimes.protobuf``, since inference does not require the ``onnx`` package.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from graphkd.deploy.network import FloatArray, Network
from graphkd.deploy.runtimes.protobuf import Fields
from graphkd.deploy.scaling import Scaling

OPERATORS = {
    *("Abs", "Cast", "Equal", "Greater", "Mul", "Not", "Reciprocal", "ReduceSum", "Where"),
    *("Gemm", "LayerNormalization", "Relu", "QuantizeLinear", "DequantizeLinear"),
}
"""Operators that work per row or per entry; none takes a subgraph as an attribute."""

MIXTURE = {"LogSoftmax", "Add", "Max", "Clip", "Sub", "Exp", "Log"}
"""Further operators of an ensemble, of the same kind, by which its members' logits become its own."""

SCALING = {"IsNaN", "Where", "Sub", "Div"}
"""Operators that scale raw numbers."""

READS = [("Div", 1), ("Sub", 1), ("Where", 1)]
"""Which of them read a vector, and as which input."""

SIZES = {1: 4, 2: 1, 3: 1, 6: 4, 7: 8, 9: 1, 11: 8}
"""ONNX's code of a tensor's data type → bytes per entry: float, uint8, int8, int32, int64, bool, double."""

DOUBLE = 11
"""ONNX's code of double precision."""

MODEL = {1, 2, 3, 4, 5, 6, 7, 8, 14}
GRAPH = {1, 2, 5, 10, 11, 12, 13, 14, 16}
NODE = {1, 2, 3, 4, 5, 6, 7, 9}
ATTRIBUTE = {1, 2, 3, 4, 7, 8, 13, 20}
TENSOR = {1, 2, 4, 5, 7, 8, 9, 10, 12, 16}
"""Allowed fields by number; excluded are functions, training, subgraphs, sparse tensors and external data."""

MOST_NODES = 64
"""Largest number of nodes per layer, which has a dozen in 8 bits, and of the preprocessing."""


def check_onnx(model: bytes, network: Network, scaling: Scaling | None = None) -> None:
    """Checks that a file is this student as ``graphkd export`` writes it.

    Args:
        model: content of the file.
        network: of the same bundle.
        scaling: of raw numbers that the file contains, or None.

    Raises:
        ValueError: it contains another operator, external data, or arrays of other shapes, other weights or
            another scaling.
    """
    (graph,) = Fields.of(model, MODEL).parts(7, GRAPH)
    nodes = graph.parts(1, NODE)
    if len(nodes) > MOST_NODES * (1 + len(network.layers)):
        raise ValueError(f"it has {len(nodes)} operations")
    operators = OPERATORS if network.alpha is None else OPERATORS | MIXTURE
    operators = operators if scaling is None else operators | SCALING
    for node in nodes:
        _check_node(node, operators)
    tensors = graph.parts(5, TENSOR)
    if scaling is not None:
        vectors = [part for part in tensors if _is_vector(part, network.num_features)]
        _check_scaling(nodes, vectors, scaling)
        tensors = [part for part in tensors if part not in vectors]
    weights = [layer.weight for layer in network.layers]
    shapes = {(), (1,), *(weight.shape for weight in weights), *(weight.shape[:1] for weight in weights)}
    matrices = []
    for part in tensors:
        shape = _shape_of(part)
        if shape not in shapes:
            raise ValueError(f"it holds an array {list(shape)}, which is none of the student's")
        if len(shape) == 2 and part.integers(2) == [1]:
            matrices.append(np.frombuffer(part.contents(9)[0], np.float32).reshape(shape))
    if len(matrices) == len(weights) and all(map(np.array_equal, matrices, weights)):
        return
    found, expected = _distinct(matrices), _distinct(weights)
    if len(found) > len(expected) or not all(map(_near, found, expected)):
        raise ValueError("its weights are not those of the bundle")


def _check_scaling(nodes: list[Fields], tensors: list[Fields], scaling: Scaling) -> None:
    """Checks that the vectors in double precision are those of the scaling, each read once and in its place."""
    parts = {part.text(8): part for part in tensors}
    vectors = {name: np.frombuffer(part.contents(9)[0], np.float64) for name, part in parts.items()}
    reads = [
        (node.text(4), place, vectors[name.decode()])
        for node in nodes
        for place, name in enumerate(node.contents(1))
        if name.decode() in vectors
    ]
    if len(parts) != len(tensors) or sorted((kind, place) for kind, place, _ in reads) != READS:
        raise ValueError("its scaling of raw numbers is in other places")
    wanted = dict(zip(("Where", "Sub", "Div"), scaling.arrays, strict=True))
    if not all(np.array_equal(vector, wanted[kind]) for kind, _, vector in reads):
        raise ValueError("its scaling of raw numbers is not that of the bundle's columns")


def _distinct(arrays: Iterable[FloatArray]) -> list[FloatArray]:
    """Returns arrays without those equal to an earlier one, which torch's exporter writes once."""
    return list({(array.shape, array.tobytes()): array for array in arrays}.values())


def _near(found: FloatArray, weight: FloatArray) -> bool:
    """Returns whether they are equal, or differ only by rounding, as in files of older versions."""
    if found.shape != weight.shape:
        return False
    return np.array_equal(found, weight) or np.allclose(found, weight, rtol=1e-4, atol=1e-6)


def _check_node(node: Fields, operators: set[str]) -> None:
    kind = node.text(4)
    if kind not in operators or node.text(7):
        raise ValueError(f"it holds the operator {kind!r}, which no student has")
    parts = node.parts(5, ATTRIBUTE)
    if kind == "Gemm":
        attributes = {part.text(1): part for part in parts}
        transposed = [attributes[name].integers(3) if name in attributes else [0] for name in ("transA", "transB")]
        if transposed != [[0], [1]]:
            raise ValueError("a product of its has other sides")


def _shape_of(part: Fields) -> tuple[int, ...]:
    """Returns the shape of an array, all of whose entries are stored in the message.

    Raises:
        ValueError: its type is unsupported, or its entries are not all in the message.
    """
    shape, kind = tuple(part.integers(1)), part.integers(2)
    count, raw = math.prod(shape), part.contents(9)
    if len(kind) != 1 or kind[0] not in SIZES:
        raise ValueError(f"it holds an array of type {kind}")
    complete = len(raw[0]) == count * SIZES[kind[0]] if raw else _listed(part) == count
    if not complete or part.values.get(14):
        raise ValueError("it holds an array whose numbers are elsewhere")
    return shape


def _is_vector(part: Fields, width: int) -> bool:
    """Returns whether an array is a vector of this size in double precision."""
    return part.integers(2) == [DOUBLE] and _shape_of(part) == (width,)


def _listed(part: Fields) -> int:
    """Returns the number of entries of an array whose data is in the typed fields instead of raw bytes."""
    wide = sum(len(content) // size for number, size in ((4, 4), (10, 8)) for content in part.contents(number))
    return wide + sum(len(part.integers(number)) for number in (5, 7))
