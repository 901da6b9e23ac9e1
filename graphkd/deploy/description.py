"""Validation of a bundle's JSON files: every field is checked once, when it is read, for every runtime."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.checks import is_real, is_whole
from graphkd.deploy.weights import arrays_of
from graphkd.errors import GraphKDError

Check = Callable[[Any], bool]

MOST = 2**31 - 1
"""Largest allowed value of a size."""


def _size(least: int, most: int = MOST) -> Check:
    return lambda value: is_whole(value) and least <= value <= most


def _one_of(*known: str) -> Check:
    return lambda value: isinstance(value, str) and value in known


def _truth(value: Any) -> bool:
    return isinstance(value, bool)


def _name(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,79}", value) is not None


def _digest(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _mapping(value: Any) -> bool:
    return isinstance(value, dict)


def _names(value: Any) -> bool:
    texts = isinstance(value, list) and all(isinstance(name, str) for name in value)
    return texts and len(set(value)) == len(value) > 0


def _classes(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(name, bool | int | str) for name in value))


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def _arguments(value: Any) -> bool:
    return isinstance(value, dict) and all(_plain(part) for part in value.values())


def _file(value: Any) -> bool:
    """Returns whether a string is a relative path inside the folder, valid on every operating system."""
    return not {"", ".", ".."} & set(value.split("/")) and not re.search(r"[\\:\0]", value)


def _export(value: Any) -> bool:
    files = value.get("files") if isinstance(value, dict) else None
    listed = isinstance(files, dict) and all(_file(name) and _digest(digest) for name, digest in files.items())
    return listed and isinstance(value.get("parity"), dict)


def _exports(value: Any) -> bool:
    return isinstance(value, dict) and all(_export(record) for record in value.values())


DESCRIPTION: dict[str, Check] = {
    "schema_version": _size(1),
    "student.name": _name,
    "student.arguments": _arguments,
    "preprocessing.features": _one_of("stored", "binary"),
    "preprocessing.row_normalize": _truth,
    "propagation.hops": _size(0, 1000),
    "propagation.self_loops?": lambda value: is_real(value) and 0 <= value <= MOST,
    "propagation.weighted?": _truth,
    "propagation.pooling?": _one_of("mean", "max", "min", "concat"),
    "class_names": _classes,
    "feature_names?": lambda value: value is None or _names(value),
    "card": _mapping,
    "weights_sha256": _digest,
    "checksum": _digest,
}
"""Field → check of its value; a field that ends in a question mark is optional. Other fields are refused."""

EXPORTED: dict[str, Check] = {
    "schema_version": _size(1),
    "weights_sha256": _digest,
    "exports": _exports,
    "checksum": _digest,
}

MLP: dict[str, Check] = {
    "num_features": _size(1),
    "hidden_dim?": _size(1),
    "num_classes?": _size(1),
    "num_layers?": _size(1),
    "dropout?": lambda value: is_real(value) and 0 <= value < 1,
    "norm?": _one_of("none", "batch", "layer"),
}

MOST_MEMBERS = 64
"""Largest number of members of an ensemble."""

ENSEMBLE: dict[str, Check] = {**MLP, "num_members?": _size(1, MOST_MEMBERS)}

STUDENTS = {"mlp": MLP, "ensemble": ENSEMBLE}
"""Student → checks of its arguments."""

STORE: dict[str, Check] = {
    "schema_version": _size(1),
    "settings.num_features": _size(1),
    "settings.hops": _size(0, 1000),
    "settings.self_loops": _size(0),
    "settings.pooling": _one_of("mean", "max", "min", "concat"),
    "settings.features": _one_of("stored", "binary"),
    "settings.row_normalize": _truth,
    "settings.weighted": _truth,
    "settings.directed": _truth,
    "settings.feature_names?": lambda value: value is None or _names(value),
    "number": _size(0, 2**62),
    "capacity": _size(0, 2**40),
    "slots": lambda value: isinstance(value, list) and len(value) == 2 and all(map(_size(0, 2**40), value)),
    "checksum": _digest,
}
"""Fields of the manifest of a feature store."""


NORMS = {
    "none": (),
    "layer": ("weight", "bias"),
    "batch": ("weight", "bias", "running_mean", "running_var"),
}
"""Normalization of hidden layers → its vectors."""

DEFAULTS = {"hidden_dim": 128, "num_classes": 2, "num_layers": 2, "num_members": 2}
"""Defaults of ``graphkd.students``, which cannot be imported where torch is not installed."""


TOLERANCE = 1e-3
"""Largest difference from 1 of the sum of an ensemble's ``alpha``."""


def widths_of(arguments: Mapping[str, Any]) -> list[int]:
    """Returns the sizes of a multilayer perceptron's input, hidden layers and output, from its arguments."""
    sizes = {**DEFAULTS, **arguments}
    return [sizes["num_features"], *[sizes["hidden_dim"]] * (sizes["num_layers"] - 1), sizes["num_classes"]]


def prefixes_of(student: Mapping[str, Any]) -> list[str]:
    """Returns what the names of tensors begin with, for each multilayer perceptron of a student.

    >>> prefixes_of({"name": "mlp", "arguments": {}})
    ['']
    >>> prefixes_of({"name": "ensemble", "arguments": {"num_members": 2}})
    ['members.0.', 'members.1.']
    """
    if student["name"] == "mlp":
        return [""]
    return [f"members.{k}." for k in range({**DEFAULTS, **student["arguments"]}["num_members"])]


def check_fields(
    content: Any,
    fields: Mapping[str, Check],
    file: Path,
    what: str = "a student",
    again: str = "export the bundle",
) -> None:
    """Checks the fields of a JSON object and their values.

    Args:
        content: parsed content of the file.
        fields: field → check, such as ``DESCRIPTION``.
        file: path, for the error message.
        what: what the file describes, for the error message.
        again: the action to repeat, for the error message.

    Raises:
        GraphKDError: a field is unknown, missing or invalid; the message names the first one.
    """
    flat = _flat(content, {name.partition(".")[0] for name in fields if "." in name})
    field_names = {name.rstrip("?") for name in fields}
    if unknown := next((name for name in flat if name not in field_names), None):
        raise _fault(file, f"it has a field {unknown[:80]!r}, which is not known", what, again)
    for name, check in fields.items():
        plain = name.rstrip("?")
        if plain not in flat:
            if plain == name:
                raise _fault(file, f"{plain} is missing", what, again)
        elif not check(flat[plain]):
            raise _fault(file, f"{plain} is {repr(flat[plain])[:80]}", what, again)


def check_student(description: Mapping[str, Any], weights: bytes, file: Path) -> None:
    """Checks that the declared sizes are those of the weights, before anything of these sizes is allocated.

    Args:
        description: content of ``bundle.json`` that passed ``check_fields``.
        weights: content of ``model.safetensors``.
        file: path, for the error message.

    Raises:
        GraphKDError: the student does not match its weights, feature names or class names.
    """
    student, arguments = description["student"], description["student"]["arguments"]
    if student["name"] not in STUDENTS:
        names = " and ".join(STUDENTS)
        raise _fault(file, f"student.name is {student['name']}, and this version of graphkd knows {names}")
    check_fields(arguments, STUDENTS[student["name"]], file)
    try:
        arrays = arrays_of(weights)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _fault(file, f"its weights are no safetensors file ({type(error).__name__})") from None
    prefixes = prefixes_of(student)
    if student["name"] == "ensemble":
        _check_members(arrays, len(prefixes), file)
    shapes = {name: array.shape for name, array in arrays.items()}
    known = {"alpha"} if student["name"] == "ensemble" else set()
    for prefix in prefixes:
        _check_layers(shapes, prefix, arguments, file)
        known |= _check_vectors(shapes, prefix, arguments, file)
    if more := sorted(shapes.keys() - known):
        raise _fault(file, f"its weights hold {more[0][:80]!r}, which it does not have")
    widths = widths_of(arguments)
    _check_names(description, widths[0], widths[-1], file)


def _check_members(arrays: Mapping[str, NDArray[Any]], members: int, file: Path) -> None:
    """Checks that there are weights of as many members as described, and that their ``alpha`` is a mixture's."""
    found = {name.split(".")[1] for name in arrays if name.startswith("members.")}
    if found != {str(k) for k in range(members)}:
        raise _fault(file, f"its weights are not those of {members} members")
    alpha = arrays.get("alpha")
    if alpha is None or alpha.shape != (members,):
        raise _fault(file, f"its alpha has not one number for each of {members} members")
    shares = ((alpha >= 0) & (alpha <= 1 + TOLERANCE)).all()  # not of NaN
    if not shares or abs(alpha.sum(dtype=np.float64) - 1) > TOLERANCE:
        raise _fault(file, "its alpha is not made of finite numbers, 0 or more, that sum to 1")


def _check_layers(
    shapes: Mapping[str, tuple[int, ...]], prefix: str, arguments: Mapping[str, Any], file: Path
) -> None:
    layers = {**DEFAULTS, **arguments}["num_layers"]
    whose = f"its weights{f' of {prefix[:-1]}' if prefix else ''}"
    if f"{prefix}layers.{layers - 1}.weight" not in shapes or f"{prefix}layers.{layers}.weight" in shapes:
        raise _fault(file, f"{whose} are not those of {layers} layers")
    widths = widths_of(arguments)
    for layer, shape in enumerate(zip(widths[1:], widths[:-1], strict=True)):
        if shapes.get(f"{prefix}layers.{layer}.weight") != shape:
            raise _fault(file, f"{whose} are not of the sizes {widths[0]}, {widths[1]} and {widths[-1]}")


def _check_vectors(
    shapes: Mapping[str, tuple[int, ...]], prefix: str, arguments: Mapping[str, Any], file: Path
) -> set[str]:
    """Checks biases and normalizations, and returns the names of all tensors of these layers."""
    widths, norm = widths_of(arguments), arguments.get("norm", "none")
    known = set()
    for i, width in enumerate(widths[1:]):
        hidden = i + 2 < len(widths)
        vectors = [f"layers.{i}.bias", *(f"norms.{i}.{part}" for part in NORMS[norm] if hidden)]
        for name in (f"{prefix}{vector}" for vector in vectors):
            # A layer before a batch normalization has no bias, except in bundles of version 0.1.
            optional = norm == "batch" and hidden and name.endswith(f"layers.{i}.bias")
            if shapes.get(name, (width,) if optional else None) != (width,):
                raise _fault(file, f"its weights have no {name} of {width} numbers")
            known.add(name)
        known |= {f"{prefix}layers.{i}.weight", f"{prefix}norms.{i}.num_batches_tracked"}
    return known


def _check_names(description: Mapping[str, Any], width: int, classes: int, file: Path) -> None:
    propagation = description["propagation"]
    blocks = propagation["hops"] + 1 if propagation.get("pooling") == "concat" else 1
    names, class_names = description.get("feature_names"), description["class_names"]
    if width % blocks or (names is not None and len(names) != width // blocks):
        raise _fault(file, f"its feature_names or hops are not those of {width} features")
    if class_names is not None and len(class_names) != classes:
        raise _fault(file, f"it has {len(class_names)} class_names for {classes} classes")


def _flat(content: Any, nested: set[str]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in content.items():
        if name in nested and isinstance(value, dict):
            flat |= {f"{name}.{inner}": part for inner, part in value.items()}
        else:
            flat[name] = value
    return flat


def _fault(file: Path, reason: str, what: str = "a student", again: str = "export the bundle") -> GraphKDError:
    return GraphKDError(f"{file} does not describe {what}: {' '.join(reason.split())}; {again} again")
