"""What a bundle states of its student's inputs: parts side by side, as ``graphkd.encoders.Encoding`` has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphkd.checks import is_real
from graphkd.deploy.schema import MOST, Schema, boolean, one_of, size

RAW = Schema({"name": one_of("raw")})
PROPAGATED = Schema(
    {
        "name": one_of("propagated"),
        "hops": size(0, 1000),
        "self_loops?": lambda value: is_real(value) and 0 <= value <= MOST,
        "weighted?": boolean,
        "pooling?": one_of("mean", "max", "min", "concat"),
    }
)
POSITIONS = Schema({"name": one_of("positions"), "dim": size(1), "nodes": size(1)})

PARTS = {"raw": RAW, "propagated": PROPAGATED, "positions": POSITIONS}
"""Name of a part → its fields."""

ORDERS = (
    *(("raw",), ("propagated",), ("positions",)),
    *(("raw", "positions"), ("propagated", "positions")),
)
"""Combinations of parts that an encoder makes."""

DEFAULTS = {"hops": 0, "self_loops": 1, "weighted": False, "pooling": "mean"}


@dataclass(frozen=True)
class InputParts:
    """The parts of a student's inputs, without torch.

    Args:
        features: whether features are part of them.
        hops: ``P`` that features are propagated over, 0 for none.
        self_loops: ``s`` in Ã over ``A + s I``.
        weighted: whether A had edge weights.
        pooling: of the hops.
        dim: length of a node's position, 0 for none.
        nodes: number of nodes with a position.
    """

    features: bool = True
    hops: int = 0
    self_loops: int = 1
    weighted: bool = False
    pooling: str = "mean"
    dim: int = 0
    nodes: int = 0

    @classmethod
    def of(cls, description: Mapping[str, Any]) -> InputParts:
        """Reads the parts from the description of a bundle."""
        parts: dict[str, Any] = {}
        for part in description["inputs"]:
            parts |= {key: value for key, value in part.items() if key != "name"}
        features = any(part["name"] != "positions" for part in description["inputs"])
        return cls(features=features, **parts)

    @property
    def is_raw(self) -> bool:
        """Whether the inputs are preprocessed rows, and nothing of the graph."""
        return self.hops == 0 and self.dim == 0

    @property
    def blocks(self) -> int:
        """Number of blocks of ``D`` columns."""
        if not self.features:
            return 0
        return self.hops + 1 if self.pooling == "concat" else 1

    def raw_width(self, width: int) -> int:
        """Returns ``D`` of the features for ``D'`` of the inputs; −1 if there is no such number."""
        own = width - self.dim
        if self.blocks == 0:
            return 0 if own == 0 else -1
        return own // self.blocks if own > 0 and own % self.blocks == 0 else -1


def are_inputs(value: Any) -> bool:
    """Returns whether a value is a list of parts that an encoder makes."""
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        return False
    names = tuple(part.get("name") for part in value)
    return names in ORDERS and all(PARTS[name].accepts(part) for name, part in zip(names, value, strict=True))


def of_schema_1(propagation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Converts ``propagation`` of schema 1 to ``inputs``."""
    whole = {**DEFAULTS, **propagation}
    return [{"name": "propagated", **whole} if whole["hops"] else {"name": "raw"}]
