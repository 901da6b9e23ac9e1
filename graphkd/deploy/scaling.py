"""The part of a column encoding that an exported file can contain: ``(x - shift) / scale`` of raw numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from graphkd.columns import ColumnEncoding
from graphkd.columns.kinds import Number
from graphkd.deploy.inputs import InputParts
from graphkd.io.rows import dense

if TYPE_CHECKING:
    from graphkd.deploy.files import Bundle

FARTHEST = 2.0**7
"""Largest ``|shift| / scale``. A raw number in single precision is off by up to ``2⁻²⁴ |x|``, which is
``2⁻²⁴ (|x'| + |shift| / scale)`` of a feature ``x'``: within this bound less than ``2⁻¹⁷ = 8e-6``, beside the
``2⁻²⁴ |x'|`` of the feature itself."""

FARTHEST_WHOLE = 1e4
"""The same of columns whose training values are whole numbers, such as years, which single precision holds exactly
up to ``2²⁴``. A number with a fraction in such a column moves its feature by up to 6e-4."""

LARGEST_WHOLE = 2.0**23
"""Largest ``|shift|`` of such a column: whole numbers twice as far from zero are exact, too."""

SCALES = (2.0**-100, 2.0**100)
"""Smallest and largest ``scale``: raw numbers of up to ``2²⁷`` deviations then neither overflow nor vanish."""


@dataclass(frozen=True)
class Scaling:
    """A missing number becomes ``fill``; then ``x' = (x - shift) / scale``, per column.

    Args:
        fill: ``[D]``, in the columns' units.
        shift: ``[D]``, in the columns' units.
        scale: ``[D]``, positive, in the columns' units.
    """

    fill: tuple[float, ...]
    shift: tuple[float, ...]
    scale: tuple[float, ...]

    @classmethod
    def of(cls, columns: ColumnEncoding | None) -> Scaling | None:
        """Returns the scaling of an encoding, or None if it is more, nothing, or too far for single precision."""
        numbers = _numbers(columns)
        if not numbers or too_far(columns) is not None:
            return None
        triples = ((number.fill, number.shift, number.scale) for number in numbers)
        return cls(*zip(*triples, strict=True))

    @property
    def arrays(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """``fill``, ``shift`` and ``scale``, each ``[D]``."""
        return np.array(self.fill), np.array(self.shift), np.array(self.scale)

    def scaled(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """Computes the features ``[B, D]`` of raw numbers ``[B, D]``, in double precision."""
        fill, shift, scale = self.arrays
        values = np.where(np.isnan(raw), fill, raw)
        features: NDArray[np.float32] = ((values - shift) / scale).astype(np.float32)
        return features

    def raw(self, rows: Any) -> NDArray[np.float32]:
        """Computes the raw numbers ``[B, D]`` of features ``[B, D]``, up to rounding in single precision.

        >>> Scaling((3.0,), (3.0,), (2.0,)).raw(np.float32([[1.5]]))
        array([[6.]], dtype=float32)
        """
        _, shift, scale = self.arrays
        numbers: NDArray[np.float32] = (dense(rows) * scale + shift).astype(np.float32)
        return numbers


def scaling_of(bundle: Bundle) -> Scaling | None:
    """Returns the scaling that files of a bundle include, if it is the only step between table and student."""
    steps, parts = bundle.description["preprocessing"], InputParts.of(bundle.description)
    if steps["features"] != "stored" or steps["row_normalize"] or not (parts.features and parts.is_raw):
        return None
    return Scaling.of(bundle.columns)


def too_far(columns: ColumnEncoding | None) -> Number | None:
    """Returns the first column whose raw numbers lose too much in single precision; None if there is none."""
    return next((number for number in _numbers(columns) if _is_too_far(number)), None)


def _is_too_far(number: Number) -> bool:
    if not SCALES[0] <= number.scale <= SCALES[1]:
        return True
    distance = abs(number.shift) / number.scale
    if number.whole and abs(number.shift) <= LARGEST_WHOLE:
        return distance > FARTHEST_WHOLE
    return distance > FARTHEST


def _numbers(columns: ColumnEncoding | None) -> list[Number]:
    """Returns the columns of an encoding that scales numbers and does nothing else; else none."""
    if columns is None or columns.is_identity or not columns.is_affine:
        return []
    return [column for column in columns.columns if isinstance(column, Number)]
