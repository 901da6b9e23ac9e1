"""Parity check of an export against the student in torch, on training and validation rows."""

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
"""Largest difference of logits attributed to rounding in float32."""

LOSS = 0.002
"""Largest drop of the validation score, as a fraction, allowed in 8 bits."""


@dataclass(frozen=True)
class Parity:
    """Differences between an export and the student in torch.

    Args:
        rows: number of compared rows.
        largest_difference: of logits; of predicted numbers, relative to the largest of them.
        argmax_agreement: fraction of rows with the same class, or the same labels.
        metric: of the scores.
        score_before: of the student in torch on validation rows.
        score_after: of the export on validation rows.
    """

    rows: int
    largest_difference: float
    argmax_agreement: float
    metric: str
    score_before: float
    score_after: float

    @classmethod
    def of(cls, sample: Sample, compute: Callable[[Rows], FloatArray]) -> Parity:
        """Compares on the rows as they are, and on dense copies as well if they are sparse."""
        forms = [[sample.train, sample.val]]
        if not isinstance(sample.val, np.ndarray):
            forms.append([dense(sample.train), dense(sample.val)])
        outputs = [np.concatenate([compute(rows) for rows in form]) for form in forms]
        worst = max(outputs, key=lambda logits: float(np.abs(logits - sample.logits).max()))
        return cls(
            len(worst),
            float(np.abs(worst - sample.logits).max()) / sample.answers.unit(sample.logits),
            min(sample.answers.agreement(logits, sample.logits) for logits in outputs),
            sample.metric,
            sample.score(sample.logits),
            min(sample.score(logits) for logits in outputs),
        )

    @property
    def record(self) -> dict[str, Any]:
        """Fields as a dictionary for JSON."""
        return asdict(self)

    def float_fault(self) -> str:
        """Returns why the export fails the float32 check; empty if it passes."""
        if self.largest_difference <= LARGEST and self.argmax_agreement == 1:
            return ""
        return (
            f"differs from the student by up to {self.largest_difference:.1e} in its logits and agrees on "
            f"{100 * self.argmax_agreement:.2f} % of classes, where {LARGEST:.0e} and 100 % are asked for"
        )

    def int8_fault(self) -> str:
        """Returns why the export fails the 8-bit check; empty if it passes."""
        loss = self.score_before - self.score_after
        if loss <= LOSS + 1e-9:  # tolerance for scores that differ by exactly the limit
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
    """Raises an error for an export that failed its check, unless loss is allowed."""
    if fault and not allow_loss:
        raise GraphKDError(f"{name} {fault}: nothing was written; --allow-loss writes it all the same")
