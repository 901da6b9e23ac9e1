"""No term."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from graphkd.terms.base import Term

if TYPE_CHECKING:
    from graphkd.methods import Targets
    from graphkd.students import StudentOutput


class NoTerm(Term):
    """The method's own loss alone.

    Source: none

    >>> NoTerm().weight
    0.0
    """

    name = "none"

    def __init__(self) -> None:
        super().__init__(weight=0.0)

    def forward(self, output: StudentOutput, batch: Targets) -> Tensor:
        """Returns 0."""
        return output.logits.new_zeros(())
