"""What a store was built for: preprocessing, propagation, and the kind of graph."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graphkd.checks import is_whole
from graphkd.deploy.files import Bundle, read_bundle
from graphkd.deploy.names import Columns
from graphkd.errors import GraphKDError
from graphkd.io.rows import preprocess

POOLINGS = ("mean", "max", "min", "concat")
"""As ``graphkd.sparse.POOLINGS``, which this package must not import."""

FEATURES = ("stored", "binary")


@dataclass(frozen=True)
class Settings:
    """How raw rows and edges become rows of the student.

    Args:
        num_features: ``D``.
        hops: ``P``.
        self_loops: ``s`` in Ã over ``A + s I``.
        pooling: of the hops, one of ``POOLINGS``.
        features: ``stored``, or ``binary``: every non-zero entry is 1.
        row_normalize: divides each row by the sum of its absolute values.
        weighted: whether edges have weights.
        directed: whether an edge may be there without its opposite.
        feature_names: ``D`` names of the features, by which rows with names are taken, or nothing; a store is the
            student's with or without them.

    Raises:
        GraphKDError: one of them is something else.
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

    def __post_init__(self) -> None:
        for name, least in (("num_features", 1), ("hops", 0), ("self_loops", 0)):
            value = getattr(self, name)
            if not is_whole(value) or value < least:
                raise GraphKDError(f"{name} is {value!r}: it must be a whole number from {least}")
        for name, known in (("pooling", POOLINGS), ("features", FEATURES)):
            if getattr(self, name) not in known:
                raise GraphKDError(f"{name} is {getattr(self, name)!r}: choose one of {', '.join(known)}")
        for name in ("row_normalize", "weighted", "directed"):
            if not isinstance(getattr(self, name), bool):
                raise GraphKDError(f"{name} is {getattr(self, name)!r}: choose True or False")

    @functools.cached_property
    def columns(self) -> Columns:
        """Takes rows by name."""
        return Columns(self.feature_names)

    @property
    def width(self) -> int:
        """``D'`` of the student's rows."""
        return self.num_features * (self.hops + 1 if self.pooling == "concat" else 1)

    def prepare(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Raw rows ``[B, D]`` → rows of hop 0 ``[B, D]``."""
        rows: NDArray[np.float32] = preprocess(x, self.features, self.row_normalize)
        return rows

    def pool(self, hops: NDArray[np.float32]) -> NDArray[np.float32]:
        """Hops ``[B, P + 1, D]`` → rows of the student ``[B, D']``."""
        if self.pooling == "concat":
            return hops.reshape(hops.shape[0], self.width)
        if self.pooling == "mean":
            mean: NDArray[np.float32] = np.add.reduce(hops, axis=1)
            mean /= np.float32(self.hops + 1)
            return mean
        extreme = np.maximum if self.pooling == "max" else np.minimum
        return np.asarray(extreme.reduce(hops, axis=1))


def settings_of(bundle: str | Path, directed: bool) -> Settings:
    """The settings that a bundle's student was trained with.

    Args:
        bundle: a ``bundle`` folder, or a run folder that holds one.
        directed: see ``Settings``.

    Raises:
        GraphKDError: there is no bundle, or it was truncated or changed.
    """
    return settings_for(read_bundle(bundle), directed)


def settings_for(found: Bundle, directed: bool) -> Settings:
    """The same of a bundle that was read before."""
    card = found.description
    try:
        propagation = {"pooling": "mean", **card["propagation"]}  # older bundles were always pooled by the mean
        wide = propagation["hops"] + 1 if propagation["pooling"] == "concat" else 1
        num_features = card["student"]["arguments"]["num_features"] // wide
        names = card.get("feature_names")
        return Settings(
            num_features,
            **propagation,
            **card["preprocessing"],
            directed=directed,
            feature_names=None if names is None else tuple(names),
        )
    except (KeyError, TypeError) as error:
        raise GraphKDError(f"{found.folder} does not describe a student ({error!r}): export it again") from None
