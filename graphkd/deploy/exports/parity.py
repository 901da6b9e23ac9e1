"""Is it the same model? Answered on rows of the run's own data, none of them for testing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from graphkd.deploy.exports.sample import Sample
from graphkd.deploy.network import FloatArray
from graphkd.errors import GraphKDError
from graphkd.io.rows import Rows, dense

LARGEST = 1e-4
"""Difference of logits that rounding of 32-bit numbers is allowed."""

LOSS = 0.002
"""Validation score, as a fraction, that 8-bit numbers may cost."""


@dataclass(frozen=True)
class Parity:
    """How far an export is from the student in torch.

    Args:
        rows: that were compared.
        largest_difference: of logits.
        argmax_agreement: share of rows with the same class.
        metric: of the scores.
        score_before: of the student in torch on validation rows.
        score_after: of the export.
    """

    rows: int
    largest_difference: float
    argmax_agreement: float
    metric: str
    score_before: float
    score_after: float

    @classmethod
    def of(cls, sample: Sample, compute: Callable[[Rows], FloatArray]) -> Parity:
        """Compares on the rows as they are, and where these are sparse on dense ones as well."""
        forms = [[sample.train, sample.val]]
        if not isinstance(sample.val, np.ndarray):
            forms.append([dense(sample.train), dense(sample.val)])
        answers = [np.concatenate([compute(rows) for rows in form]) for form in forms]
        worst = max(answers, key=lambda logits: float(np.abs(logits - sample.logits).max()))
        return cls(
            len(worst),
            float(np.abs(worst - sample.logits).max()),
            min(float((logits.argmax(1) == sample.logits.argmax(1)).mean()) for logits in answers),
            sample.metric,
            sample.score(sample.logits),
            min(sample.score(logits) for logits in answers),
        )

    @property
    def record(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def float_fault(self) -> str:
        """Why it is not the same model in 32-bit numbers; empty if it is."""
        if self.largest_difference <= LARGEST and self.argmax_agreement == 1:
            return ""
        return (
            f"differs from the student by up to {self.largest_difference:.1e} in its logits and agrees on "
            f"{100 * self.argmax_agreement:.2f} % of classes, where {LARGEST:.0e} and 100 % are asked for"
        )

    def int8_fault(self) -> str:
        """Why it is not good enough for one in 8-bit numbers; empty if it is."""
        loss = self.score_before - self.score_after
        if loss <= LOSS + 1e-9:  # a hair of rounding, for scores that differ by exactly as much
            return ""
        return (
            f"loses {100 * loss:.2f} points on validation ({100 * self.score_before:.2f} → "
            f"{100 * self.score_after:.2f}), where {100 * LOSS:.1f} are allowed"
        )

    def __str__(self) -> str:
        return (
            f"{self.rows} rows · largest difference {self.largest_difference:.1e} · argmax agreement "
            f"{100 * self.argmax_agreement:.2f} % · validation {self.metric} {100 * self.score_before:.2f} → "
            f"{100 * self.score_after:.2f} %"
        )


def check(fault: str, name: str, allow_loss: bool) -> None:
    """Refuses an export with a fault, unless that is allowed."""
    if fault and not allow_loss:
        raise GraphKDError(f"{name} {fault}: nothing was written; --allow-loss writes it all the same")
