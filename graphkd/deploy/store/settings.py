"""Settings of a store: preprocessing, propagation, and the kind of graph."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graphkd.checks import is_whole
from graphkd.columns import ColumnEncoding
from graphkd.deploy.files import Bundle, read_bundle
from graphkd.deploy.inputs import InputParts
from graphkd.deploy.names import Columns
from graphkd.errors import GraphKDError
from graphkd.io.rows import preprocess

POOLINGS = ("mean", "max", "min", "concat")
"""Same as ``graphkd.sparse.POOLINGS``, which cannot be imported here without torch."""

FEATURES = ("stored", "binary")


@dataclass(frozen=True)
class Settings:
    """Preprocessing and propagation from raw rows and edges to the student's rows.

    Args:
        num_features: ``D``.
        hops: ``P``.
        self_loops: ``s`` in Ã over ``A + s I``.
        pooling: of the hops, one of ``POOLINGS``.
        features: ``stored``, or ``binary``: every non-zero entry is 1.
        row_normalize: divides each row by the sum of its absolute values.
        weighted: whether edges have weights.
        directed: whether an edge may exist without its reverse.
        feature_names: ``D`` feature names, by which named columns are matched, or None; ignored in comparisons, so
            that a store matches its student with or without them.
        dim: length ``d`` of a node's position, which follows its features in a row; 0 for none.
        encoding: JSON of the encoding of raw columns as these features, or None; see ``graphkd.columns``.
        positions: SHA-256 of the bundle's positions, or None: those of another training have other axes.

    Raises:
        GraphKDError: a value is invalid.
    """

    num_features: int
    hops: int
    self_loops: int = 1
    pooling: str = "mean"
    features: str = "stored"
    row_normalize: bool = False
    weighted: bool = False
    directed: bool = False
    feature_names: tuple[str, ...] | None = field(default=None, compare=False)
    dim: int = 0
    positions: str | None = None
    encoding: str | None = None

    def __post_init__(self) -> None:
        least_features = 0 if is_whole(self.dim) and self.dim > 0 else 1
        for name, least in (("num_features", least_features), ("hops", 0), ("self_loops", 0), ("dim", 0)):
            value = getattr(self, name)
            if not is_whole(value) or value < least:
                raise GraphKDError(f"{name} is {value!r}: it must be a whole number from {least}")
        for name, choices in (("pooling", POOLINGS), ("features", FEATURES)):
            if getattr(self, name) not in choices:
                raise GraphKDError(f"{name} is {getattr(self, name)!r}: choose one of {', '.join(choices)}")
        for name in ("row_normalize", "weighted", "directed"):
            if not isinstance(getattr(self, name), bool):
                raise GraphKDError(f"{name} is {getattr(self, name)!r}: choose True or False")

    @functools.cached_property
    def columns(self) -> Columns:
        """Alignment of named columns with the features, and their encoding."""
        if self.encoding is None:
            return Columns(self.feature_names)
        return Columns(self.feature_names, ColumnEncoding.from_json(json.loads(self.encoding)))

    @property
    def width(self) -> int:
        """``D'`` of the student's rows."""
        return self.pooled_width + self.dim

    @property
    def pooled_width(self) -> int:
        """Number of columns of pooled features."""
        return self.num_features * (self.hops + 1 if self.pooling == "concat" else 1)

    def prepare(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Preprocesses raw rows ``[B, D]`` to rows of hop 0 ``[B, D]``."""
        rows: NDArray[np.float32] = preprocess(x, self.features, self.row_normalize)
        return rows

    def pool(self, hops: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pools hops ``[B, P + 1, D]`` to rows ``[B, D']`` of the student, without positions."""
        if self.pooling == "concat":
            return hops.reshape(hops.shape[0], self.pooled_width)
        if self.pooling == "mean":
            mean: NDArray[np.float32] = np.add.reduce(hops, axis=1)
            mean /= np.float32(self.hops + 1)
            return mean
        extreme = np.maximum if self.pooling == "max" else np.minimum
        return np.asarray(extreme.reduce(hops, axis=1))


def settings_of(bundle: str | Path, directed: bool) -> Settings:
    """Returns the settings that a bundle's student was trained with.

    Args:
        bundle: a ``bundle`` folder, or a run folder that contains one.
        directed: see ``Settings``.

    Raises:
        GraphKDError: there is no bundle, or it was truncated or modified.
    """
    return settings_for(read_bundle(bundle), directed)


def settings_for(found: Bundle, directed: bool) -> Settings:
    """Returns the same for a bundle that has already been read."""
    description = found.description
    try:
        parts = InputParts.of(description)
        num_features = parts.raw_width(description["student"]["arguments"]["num_features"])
        names, columns = (description.get(key) if parts.features else None for key in ("feature_names", "columns"))
        return Settings(
            num_features,
            hops=parts.hops,
            self_loops=parts.self_loops,
            pooling=parts.pooling,
            weighted=parts.weighted,
            **description["preprocessing"],
            directed=directed,
            feature_names=None if names is None else tuple(names),
            dim=parts.dim,
            positions=description["inputs_sha256"] if parts.dim else None,
            encoding=None if columns is None else json.dumps(columns, sort_keys=True),
        )
    except (KeyError, TypeError) as error:
        raise GraphKDError(f"{found.folder} does not describe a student ({error!r}): export it again") from None
