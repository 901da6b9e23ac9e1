"""Models in the sense of the Open Inference Protocol: one input, and the outputs of the student's task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkd.deploy.server.errors import RefusedError, wrong
from graphkd.deploy.server.model_state import FloatArray, ModelState
from graphkd.deploy.server.schema import InputTensor
from graphkd.deploy.server.tensors import array_of

VERSION = "1"

ROWS, PROPAGATED, NODES = "rows", "propagated", "nodes"
"""Inputs: raw features, propagated ones for a student with hops or positions, node ids in the store."""


@dataclass(frozen=True)
class Model:
    """A student with one kind of input; scoring by node is a separate model, as inputs cannot be optional.

    Args:
        name: used in paths.
        input: ``rows``, ``propagated`` or ``nodes``.
        width: of a row, or None for nodes.
        served: the student.
    """

    name: str
    input: str
    width: int | None
    served: ModelState

    @property
    def metadata(self) -> dict[str, Any]:
        """Response of ``/v2/models/NAME``."""
        width = self.served.num_classes
        shape = [-1] if self.width is None else [-1, self.width]
        return {
            "name": self.name,
            "versions": [VERSION],
            "platform": f"graphkd_{self.served.model.runtime}",
            "inputs": [
                {"name": self.input, "datatype": "INT64" if self.width is None else "FP32", "shape": shape}
            ],
            "outputs": [
                {"name": name, "datatype": datatype, "shape": [-1] if one_each else [-1, width]}
                for name, (datatype, one_each) in self.served.model.answers.outputs.items()
            ],
        }

    def count(self, tensor: InputTensor, field: str) -> int:
        """Returns the number of rows that a tensor declares.

        Raises:
            RefusedError: 422, its name or shape is not that of the model's input.
        """
        if tensor.name != self.input:
            text = f"this model takes {self.input}, not {tensor.name[:50]!r}"
            raise wrong(f"{field}.name", self.served.why_not_raw if self._raw_to_hops(tensor) else text)
        expected = ["rows"] if self.width is None else ["rows", self.width]
        if len(tensor.shape) != len(expected) or tensor.shape[1:] != expected[1:] or tensor.shape[0] == 0:
            text = f"must be [{', '.join(map(str, expected))}] with at least one row, and is {tensor.shape}"
            raise wrong(f"{field}.shape", text)
        return tensor.shape[0]

    def rows(self, tensor: InputTensor, field: str, tail: memoryview) -> FloatArray:
        """Converts a tensor to the student's input.

        Raises:
            RefusedError: 422, invalid numbers, no such node, or bytes that belong to no tensor.
        """
        values, used = array_of(tensor, field, tail)
        if used != len(tail):
            raise wrong(f"{field}.parameters", f"{len(tail) - used} bytes after the JSON belong to no tensor")
        if self.width is not None:
            return self.served.rows(values, f"{field}.data", self.input == PROPAGATED)
        return self.served.stored(_ids(values, field), f"{field}.data")

    def _raw_to_hops(self, tensor: InputTensor) -> bool:
        return tensor.name == ROWS and self.input == PROPAGATED


def models_of(served: ModelState) -> dict[str, Model]:
    """Returns the models by name: the student by rows and, if there is a store, by nodes."""
    is_raw = served.model.parts.is_raw
    by_rows = Model(
        served.name,
        ROWS if is_raw else PROPAGATED,
        served.model.num_features if is_raw else served.model.width,
        served,
    )
    if served.store is None:
        return {by_rows.name: by_rows}
    by_nodes = Model(f"{served.name}-nodes", NODES, None, served)
    return {by_rows.name: by_rows, by_nodes.name: by_nodes}


def found_model(models: dict[str, Model], name: str, version: str) -> Model:
    """Returns the model of a path.

    Raises:
        RefusedError: 404, there is no such model or version.
    """
    if name not in models:
        raise RefusedError(404, f"there is no such model: this server has {' and '.join(models)}")
    if version != VERSION:
        raise RefusedError(404, f"there is no such version of {name}: it has version {VERSION}")
    return models[name]


def _ids(values: NDArray[Any], field: str) -> NDArray[np.int64]:
    if values.dtype.kind not in "iu":
        raise wrong(f"{field}.datatype", "node ids are whole numbers: send INT64")
    if values.dtype.kind == "u" and values.max() > np.iinfo(np.int64).max:
        raise wrong(f"{field}.data", "holds numbers beyond INT64, and no such node is in the store")
    return values.astype(np.int64)
