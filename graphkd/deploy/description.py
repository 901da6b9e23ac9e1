"""Validation of a bundle's JSON files: every field is checked once, when it is read, for every runtime."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.answers import KINDS
from graphkd.checks import is_real
from graphkd.columns import ColumnEncoding
from graphkd.deploy.inputs import PROPAGATED, InputParts, are_inputs
from graphkd.deploy.schema import (
    Check,
    Schema,
    arguments,
    boolean,
    class_names,
    digest,
    distinct,
    exports,
    identifier,
    mapping,
    one_of,
    size,
    sizes,
)
from graphkd.deploy.weights import arrays_of
from graphkd.errors import GraphKDError

COMMON: dict[str, Check] = {
    "schema_version": size(1),
    "student.name": identifier,
    "student.arguments": arguments,
    "preprocessing.features": one_of("stored", "binary"),
    "preprocessing.row_normalize": boolean,
    "class_names": class_names,
    "task?": lambda value: isinstance(value, dict) and value.get("name") in KINDS,
    "feature_names?": lambda value: value is None or distinct(value),
    "card": mapping,
    "weights_sha256": digest,
    "checksum": digest,
}

DESCRIPTION = Schema({**COMMON, "inputs": are_inputs, "inputs_sha256?": digest, "columns?": mapping})
"""Fields of ``bundle.json``."""

DESCRIPTION_1 = Schema(
    {
        **COMMON,
        **{f"propagation.{name}": check for name, check in PROPAGATED.fields.items() if name != "name"},
    }
)
"""The same of schema version 1."""

EXPORTED = Schema(
    {
        "schema_version": size(1),
        "weights_sha256": digest,
        "schema_sha256?": digest,
        "exports": exports,
        "checksum": digest,
    }
)

MLP = Schema(
    {
        "num_features": size(1),
        "hidden_dim?": size(1),
        "num_classes?": size(1),
        "num_layers?": size(1),
        "dropout?": lambda value: is_real(value) and 0 <= value < 1,
        "norm?": one_of("none", "batch", "layer"),
    }
)

TAPERED = Schema({**MLP.fields, "hidden_dims?": sizes})
"""An MLP, whose hidden layers may have a width each."""

MOST_MEMBERS = 64
"""Largest number of members of an ensemble."""

ENSEMBLE = Schema({**MLP.fields, "num_members?": size(1, MOST_MEMBERS)})

PROGRESSIVE = Schema(
    {**ENSEMBLE.fields, "threshold?": lambda value: is_real(value) and 0 < value <= 1, "num_layers?": size(2)}
)

STUDENTS = {"mlp": TAPERED, "ensemble": ENSEMBLE, "progressive": PROGRESSIVE}
"""Student → checks of its arguments."""


def _is_encoding(value: Any) -> bool:
    """Returns whether a value is the text of an encoding of columns."""
    try:
        ColumnEncoding.from_json(json.loads(value))
    except (GraphKDError, TypeError, ValueError, RecursionError):
        return False
    return True


STORE = Schema(
    {
        "schema_version": size(1),
        "settings.num_features": size(0),
        "settings.hops": size(0, 1000),
        "settings.self_loops": size(0),
        "settings.pooling": one_of("mean", "max", "min", "concat"),
        "settings.features": one_of("stored", "binary"),
        "settings.row_normalize": boolean,
        "settings.weighted": boolean,
        "settings.directed": boolean,
        "settings.feature_names?": lambda value: value is None or distinct(value),
        "settings.dim?": size(1),
        "settings.positions?": digest,
        "settings.encoding?": _is_encoding,
        "number": size(0, 2**62),
        "capacity": size(0, 2**40),
        "slots": lambda value: isinstance(value, list) and len(value) == 2 and all(map(size(0, 2**40), value)),
        "ids_sha256?": digest,
        "checksum": digest,
    },
    "a feature store",
    "build the store",
)
"""Fields of the manifest of a feature store."""


NORMS = {
    "none": (),
    "layer": ("weight", "bias"),
    "batch": ("weight", "bias", "running_mean", "running_var"),
}
"""Normalization of hidden layers → its vectors."""

DEFAULTS = {"hidden_dim": 128, "num_classes": 2, "num_layers": 2, "num_members": 2, "threshold": 1.0}
"""Defaults of ``graphkd.students``, which cannot be imported where torch is not installed."""


TOLERANCE = 1e-3
"""Largest difference from 1 of the sum of an ensemble's ``alpha``."""


def task_of(description: Mapping[str, Any]) -> str:
    """Returns the name of a student's task; bundles of classes do not state it."""
    return str(description.get("task", {"name": "multiclass"})["name"])


def widths_of(arguments: Mapping[str, Any]) -> list[int]:
    """Returns the sizes of a multilayer perceptron's input, hidden layers and output, from its arguments."""
    given = {**DEFAULTS, **arguments}
    hidden = given.get("hidden_dims")
    if hidden is None:
        hidden = [given["hidden_dim"]] * (given["num_layers"] - 1)
    return [given["num_features"], *hidden, given["num_classes"]]


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


def check_student(description: Mapping[str, Any], weights: bytes, file: Path) -> dict[str, NDArray[Any]]:
    """Checks that the declared sizes are those of the weights, before anything of these sizes is allocated.

    Args:
        description: content of ``bundle.json`` that passed ``DESCRIPTION.check``.
        weights: content of ``model.safetensors``.
        file: path, for the error message.

    Returns:
        The tensors, by name.

    Raises:
        GraphKDError: the student does not match its weights, feature names or class names.
    """
    student, arguments = description["student"], description["student"]["arguments"]
    if student["name"] not in STUDENTS:
        names = ", ".join(STUDENTS)
        raise DESCRIPTION.fault(
            file, f"student.name is {student['name']}, and this version of graphkd knows {names}"
        )
    STUDENTS[student["name"]].check(arguments, file)
    try:
        arrays = arrays_of(weights)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DESCRIPTION.fault(file, f"its weights are no safetensors file ({type(error).__name__})") from None
    prefixes = prefixes_of(student)
    shapes = {name: array.shape for name, array in arrays.items()}
    known = set[str]()
    if student["name"] != "mlp":
        _check_members(arrays, len(prefixes), file)
    if student["name"] == "ensemble":
        known |= _check_alpha(arrays, len(prefixes), file)
    for prefix in prefixes:
        _check_layers(shapes, prefix, arguments, file)
        known |= _check_vectors(shapes, prefix, arguments, file)
    if student["name"] == "progressive":
        known |= _check_carries(shapes, len(prefixes), arguments, file)
    if more := sorted(shapes.keys() - known):
        raise DESCRIPTION.fault(file, f"its weights hold {more[0][:80]!r}, which it does not have")
    widths = widths_of(arguments)
    _check_names(description, widths[0], widths[-1], file)
    return arrays


def _check_members(arrays: Mapping[str, NDArray[Any]], members: int, file: Path) -> None:
    """Checks that there are weights of as many members as described."""
    found = {name.split(".")[1] for name in arrays if name.startswith("members.")}
    if found != {str(k) for k in range(members)}:
        raise DESCRIPTION.fault(file, f"its weights are not those of {members} members")


def _check_alpha(arrays: Mapping[str, NDArray[Any]], members: int, file: Path) -> set[str]:
    """Checks that the ``alpha`` of an ensemble is a mixture's, and returns the name of it."""
    alpha = arrays.get("alpha")
    if alpha is None or alpha.shape != (members,):
        raise DESCRIPTION.fault(file, f"its alpha has not one number for each of {members} members")
    shares = ((alpha >= 0) & (alpha <= 1 + TOLERANCE)).all()  # not of NaN
    if not shares or abs(alpha.sum(dtype=np.float64) - 1) > TOLERANCE:
        raise DESCRIPTION.fault(file, "its alpha is not made of finite numbers, 0 or more, that sum to 1")
    return {"alpha"}


def _check_carries(
    shapes: Mapping[str, tuple[int, ...]], members: int, arguments: Mapping[str, Any], file: Path
) -> set[str]:
    """Checks the matrices between the members of a sequence, and returns their names."""
    width = {**DEFAULTS, **arguments}["hidden_dim"]
    names = [f"carries.{k}.weight" for k in range(members - 1)]
    for name in names:
        if shapes.get(name) != (width, width):
            raise DESCRIPTION.fault(file, f"its weights have no {name} of {width} × {width} numbers")
    return set(names)


def _check_layers(
    shapes: Mapping[str, tuple[int, ...]], prefix: str, arguments: Mapping[str, Any], file: Path
) -> None:
    layers = {**DEFAULTS, **arguments}["num_layers"]
    whose = f"its weights{f' of {prefix[:-1]}' if prefix else ''}"
    if len(arguments.get("hidden_dims", [0] * (layers - 1))) != layers - 1:
        raise DESCRIPTION.fault(file, f"its hidden_dims are not those of {layers} layers")
    if f"{prefix}layers.{layers - 1}.weight" not in shapes or f"{prefix}layers.{layers}.weight" in shapes:
        raise DESCRIPTION.fault(file, f"{whose} are not those of {layers} layers")
    widths = widths_of(arguments)
    for layer, shape in enumerate(zip(widths[1:], widths[:-1], strict=True)):
        if shapes.get(f"{prefix}layers.{layer}.weight") != shape:
            raise DESCRIPTION.fault(
                file, f"{whose} are not of the sizes {widths[0]}, {widths[1]} and {widths[-1]}"
            )


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
                raise DESCRIPTION.fault(file, f"its weights have no {name} of {width} numbers")
            known.add(name)
        known |= {f"{prefix}layers.{i}.weight", f"{prefix}norms.{i}.num_batches_tracked"}
    return known


def _check_names(description: Mapping[str, Any], width: int, classes: int, file: Path) -> None:
    parts = InputParts.of(description)
    num_features = parts.raw_width(width)
    names, class_names = description.get("feature_names"), description["class_names"]
    if num_features < 0 or (names is not None and len(names) != num_features and parts.features):
        raise DESCRIPTION.fault(file, f"its feature_names or inputs are not those of {width} features")
    if class_names is not None and len(class_names) != classes:
        raise DESCRIPTION.fault(file, f"it has {len(class_names)} class_names for {classes} classes")


def check_vectors(description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], file: Path) -> None:
    """Checks that the tensors of a student's inputs are those of the description: finite float32 positions.

    Raises:
        GraphKDError: they are not.
    """
    parts = InputParts.of(description)
    expected = {"positions": (parts.nodes, parts.dim)} if parts.dim else {}
    if {name: array.shape for name, array in arrays.items()} != expected:
        raise DESCRIPTION.fault(file, "its positions are not of the sizes that it states")
    for array in arrays.values():
        if array.dtype != np.float32 or not np.isfinite(array).all():
            raise DESCRIPTION.fault(file, "its positions are no finite numbers of float32")
