"""What every balance is."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor, nn

from graphkd.ranges import check_choice

if TYPE_CHECKING:
    from graphkd.datasets import Graph
    from graphkd.methods import Targets

PRIORS = ("labels", "teacher")
"""Where class shares are taken from: training labels, or the teacher's mean soft label over all observed nodes."""


class Balance(nn.Module):
    """Changes losses, or the answer, by the sizes of classes.

    A subclass has a ``name``, a docstring with a ``Source:`` line, and an ``__init__`` whose arguments have
    defaults and are kept under their own names. Tensors are registered in ``build`` as buffers that are not
    persistent: they are computed from the data again, and are no state of training.

    >>> class Halved(Balance):
    ...     name = "halved"
    ...
    ...     def label(self, logits):
    ...         return logits / 2
    ...
    >>> Halved().acts_on, Halved().trains
    ('label', True)
    """

    name: ClassVar[str]
    prior: str = "labels"

    @property
    def acts_on(self) -> str:
        """Which term is changed: ``label``, ``soft``, ``answer`` of the trained student, or ``nothing``."""
        return "label"

    @property
    def reads_teacher(self) -> bool:
        """Whether there has to be a teacher."""
        return self.acts_on == "soft" or self.prior == "teacher"

    @property
    def trains(self) -> bool:
        """Whether a student trains otherwise than without it."""
        return self.acts_on in ("label", "soft")

    @property
    def regroups(self) -> bool:
        """Whether soft losses get another form, and tables other columns."""
        return type(self).fold is not Balance.fold

    def build(self, graph: Graph, teacher: Tensor) -> None:
        """Registers what depends on the sizes of classes; called once per seed, on a copy.

        Args:
            graph: the observed one; labels of training nodes alone may be read.
            teacher: its frozen logits ``[N, C]``, before any transform; zeros where there is none.
        """

    def class_weight(self) -> Tensor | None:
        """Returns weights ``[C]`` of the labels' cross-entropy, or None for 1."""
        return None

    def label(self, logits: Tensor) -> Tensor:
        """Returns the student's logits ``[…, B, C]`` as a label loss reads them."""
        return logits

    def teacher(self, logits: Tensor, tau: float) -> Tensor:
        """Returns the teacher's logits ``[N, C]`` as the method reads them.

        Args:
            logits: transformed and calibrated.
            tau: temperature of the method.
        """
        return logits

    def fold(self, targets: Targets) -> Targets:
        """Returns compiled targets with soft losses of another form; the same ones by default."""
        return targets

    def adjust_answer(self, student: nn.Module) -> None:
        """Changes the trained student in place, so that all that loads it answers so."""

    def attach(self, targets: Targets, tau: float) -> Targets:
        """Returns targets whose losses read logits through this balance, also after they are folded again."""
        if self.acts_on == "label" and type(self).label is not Balance.label:
            targets = replace(targets, adjust_label=self.label)
        if type(self).teacher is not Balance.teacher:
            targets = replace(targets, adjust_teacher=functools.partial(self.teacher, tau=tau))
        return targets


class NoBalance(Balance):
    """Losses as they are.

    Source: none

    >>> NoBalance().acts_on, NoBalance().trains
    ('nothing', False)
    """

    name = "none"

    @property
    def acts_on(self) -> str:
        """Nothing."""
        return "nothing"


def check_prior(prior: str) -> str:
    """Returns the prior, one of ``PRIORS``.

    Raises:
        GraphKDError: it is another.
    """
    check_choice("balance", PRIORS, prior=prior)
    return prior
