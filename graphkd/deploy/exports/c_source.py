"""Generation of a C99 source file and its header: the student's weights, and code that does not depend on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy import network as network_module
from graphkd.deploy import scaling as scaling_module
from graphkd.deploy.exports.int8 import quantised
from graphkd.deploy.exports.stamp import Stamp, quoted
from graphkd.deploy.network import FloatArray, Layer, Network
from graphkd.errors import GraphKDError

STRIP, PANEL = 16, 64
"""Multiple that outputs are padded to, and outputs that share a pass over the inputs; as in ``student.c``."""


LARGEST_STACK = 2**20
"""Largest stack frame of a call in bytes: thread stacks are a few times larger, and overflow is not detected."""


def c_sources(network: Network, stamp: Stamp, int8: bool) -> dict[str, bytes]:
    """Returns ``student.c`` and ``student.h``.

    Args:
        network: the student.
        stamp: its preprocessing and scaling, where the functions include them, and its names.
        int8: whether to add functions with 8-bit weights.

    Raises:
        GraphKDError: the layers are so wide that a call would need too much stack.
    """
    module = Path(__file__)
    texts = (module.with_name(f"student.{end}").read_text("utf-8") for end in ("c", "h"))
    code, header = (_lines_for(network, text) for text in texts)
    sizes = "\n".join(_sizes(network, stamp, int8))
    weights = [*_names(stamp), *_scaling(stamp), *_float_layers(network), *(_int8_layers(network) if int8 else [])]
    return {
        "student.c": code.replace("/*@weights@*/", "\n\n".join(weights)).encode(),
        "student.h": header.replace("/*@sizes@*/", sizes).replace("@rows@", stamp.line).encode(),
    }


def _lines_for(network: Network, text: str) -> str:
    """Returns the lines for every student, and those marked at their end for its kind, without the marks."""
    marks = [" /*@mlp@*/", " /*@ensemble@*/"]
    own, other = marks if network.alpha is None else reversed(marks)
    lines = (line.removesuffix(own) for line in text.split("\n") if not line.endswith(other))
    return "\n".join(lines)


def code_of_the_export() -> bytes:
    """Returns the sources that, together with the student, determine the content of the generated files."""
    folder = Path(__file__).parent
    files = [
        *(folder / name for name in ("student.c", "student.h", "c_source.py", "int8.py", "stamp.py")),
        Path(network_module.__file__),
        Path(scaling_module.__file__),
    ]
    return b"\0".join(file.read_bytes() for file in files)


def _sizes(network: Network, stamp: Stamp, int8: bool) -> list[str]:
    widest_layer = max(layer.weight.shape[0] for layer in network.layers)
    hidden = -(-widest_layer // PANEL) * PANEL  # whole panels, so that the compiler can prove that each fits
    widest = max(layer.weight.shape[1] for layer in network.layers)
    sizes = {
        "FEATURES": network.num_features,
        "CLASSES": network.num_classes,
        **({} if network.alpha is None else {"MEMBERS": len(network.alpha)}),
        "HAS_INT8": int(int8),
        "BINARY": int(stamp.folded and stamp.features == "binary"),
        "ROW_NORMALIZE": int(stamp.folded and stamp.row_normalize),
        "HOPS": stamp.hops,
        "SCALES": int(stamp.scaling is not None),
        "COLUMNS": len(stamp.columns),
        "CATEGORIES": sum(len(column.categories) for column in stamp.columns),
        "HAS_FEATURE_NAMES": int(bool(stamp.feature_names)),
        "HIDDEN": hidden,
        "WIDEST": widest,
        "STACK": 32 * hidden
        + (4 * hidden + 2 * widest if int8 else 0)
        + (16 * network.num_features if stamp.folded else 0)
        + (20 * network.num_features if stamp.scaling is not None else 0)  # a block of rows, and a sparse row
        + 4096,
    }
    if sizes["STACK"] > LARGEST_STACK:
        raise GraphKDError(
            f"a call of the C file would take {sizes['STACK']:,} bytes of stack, {LARGEST_STACK:,} are allowed: "
            "export to onnx, or train a narrower student"
        )
    return [f"#define GRAPHKD_{name} {value}" for name, value in sizes.items()]


def _names(stamp: Stamp) -> list[str]:
    owned = [(str(at), name) for at, column in enumerate(stamp.columns) for name in column.categories]
    lists = {
        "class_names": stamp.class_names,
        "feature_names": stamp.feature_names,
        "column_names": [column.name for column in stamp.columns],
        "column_kinds": [column.kind for column in stamp.columns],
        "category_names": [name for _, name in owned],
    }
    texts = [
        f"const char *const graphkd_{kind}[] = {{\n    {', '.join(map(quoted, names))}\n}};"
        for kind, names in lists.items()
        if names
    ]
    numbers = _lines(at for at, _ in owned)
    return [*texts, *([f"const int32_t graphkd_category_columns[] = {{\n{numbers}\n}};"] if owned else [])]


def _scaling(stamp: Stamp) -> list[str]:
    if stamp.scaling is None:
        return []
    return [_doubles(f"raw_{name}", values) for name, values in asdict(stamp.scaling).items()]


def _float_layers(network: Network) -> list[str]:
    arrays, rows = [], []
    for n, layer in enumerate(network.layers):
        columns = _padded_rows(layer.weight).T
        panels = [columns[:, start : start + PANEL] for start in range(0, columns.shape[1], PANEL)]
        arrays.append(_floats(f"weight_{n}", panels))
        arrays.append(_floats(f"bias_{n}", [_padded_rows(layer.bias)]))
        rows.append([f"&weight_{n}", f"&bias_{n}", *_norm(arrays, n, layer), "0", "0"])
    log_alpha = [] if network.alpha is None else [_floats("log_alpha", [network.log_alpha])]
    return [*arrays, *log_alpha, _table("float_layers", network, rows)]


def _int8_layers(network: Network) -> list[str]:
    arrays, rows = [], []
    for n, layer in enumerate(network.layers):
        int8_layer = quantised(layer)
        codes = _padded_rows(int8_layer.codes)
        quads = np.pad(codes, ((0, 0), (0, -codes.shape[1] % 4))).reshape(codes.shape[0], -1, 4).swapaxes(0, 1)
        panels = [quads[:, start : start + PANEL] for start in range(0, codes.shape[0], PANEL)]
        arrays.append(_integers(f"codes_{n}", "int8_t", panels))
        arrays.append(_floats(f"scale_{n}", [_padded_rows(int8_layer.scale)]))
        first = n % network.depth == 0
        if first:
            arrays.append(_integers(f"offset_{n}", "int32_t", [128 * codes.sum(axis=1, dtype=np.int64)]))
        norm = [f"&gain_{n}", f"&shift_{n}"] if layer.gain is not None else ["0", "0"]
        rows.append([f"codes_{n}", f"&bias_{n}", *norm, f"&scale_{n}", f"offset_{n}" if first else "0"])
    head, tail = "#if GRAPHKD_HAS_INT8", "#endif"
    return [head, *arrays, _table("int8_layers", network, rows), tail]


def _norm(arrays: list[str], n: int, layer: Layer) -> list[str]:
    if layer.gain is None or layer.shift is None:
        return ["0", "0"]
    arrays += [
        _floats(f"gain_{n}", [_padded_rows(layer.gain)]),
        _floats(f"shift_{n}", [_padded_rows(layer.shift)]),
    ]
    return [f"&gain_{n}", f"&shift_{n}"]


def _table(name: str, network: Network, rows: Iterable[Sequence[str]]) -> str:
    lines = []
    for layer, row in zip(network.layers, rows, strict=True):
        outputs, inputs = layer.weight.shape
        sizes = [inputs, outputs, _padded(outputs) // STRIP, int(layer.hidden)]
        lines.append(f"    {{{', '.join(map(str, [*sizes, *row]))}}},")
    return "\n".join([f"static const layer {name}[] = {{", *lines, "};"])


def _floats(name: str, parts: Sequence[FloatArray]) -> str:
    """Writes floats as bit patterns: exact, and parsed faster than decimal numbers."""
    bits = np.concatenate([np.ascontiguousarray(part, dtype=np.float32).reshape(-1) for part in parts])
    text = _lines([f"0x{number:x}" for number in bits.view(np.uint32).tolist()])
    size = bits.size
    both = f"    uint32_t bits[{size}];\n    float values[{size}];"
    return f"static const union {{\n{both}\n}} {name} ALIGNED = {{{{\n{text}\n}}}};"


def _doubles(name: str, values: Sequence[float]) -> str:
    text = _lines(f"0x{number:x}u" for number in np.array(values).view(np.uint64).tolist())
    both = f"    uint64_t bits[{len(values)}];\n    double values[{len(values)}];"
    return f"static const union {{\n{both}\n}} {name} ALIGNED = {{{{\n{text}\n}}}};"


def _integers(name: str, kind: str, parts: Sequence[NDArray[np.int8] | NDArray[np.int64]]) -> str:
    numbers = np.concatenate([part.reshape(-1) for part in parts]).tolist()
    return f"static const {kind} {name}[{len(numbers)}] ALIGNED = {{\n{_lines(map(str, numbers))}\n}};"


def _lines(numbers: Iterable[str]) -> str:
    literals = list(numbers)
    return ",\n".join(",".join(literals[start : start + 16]) for start in range(0, len(literals), 16))


def _padded(outputs: int) -> int:
    return -(-outputs // STRIP) * STRIP


def _padded_rows(array: Any) -> Any:
    extra = _padded(array.shape[0]) - array.shape[0]
    return np.pad(array, [(0, extra)] + [(0, 0)] * (array.ndim - 1))
