"""What every transform of a teacher is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor

from graphkd.teachers import TeacherOutput

if TYPE_CHECKING:
    from graphkd.datasets import Graph


@dataclass(frozen=True)
class Fitted:
    """What a transform requires beforehand; kept in the cache.

    Args:
        tensors: returned by ``fit``, by name.
        others: outputs of the teachers that ``others`` names, on the same graph.

    >>> import torch
    >>> fitted = Fitted(tensors={"scale": torch.ones(2)})
    >>> list(fitted.tensors), fitted.others
    (['scale'], ())
    """

    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    others: Sequence[TeacherOutput] = ()


class Transform:
    """Computes another teacher from a teacher, once, after its training.

    A loss reads the teacher through ``softmax(t / τ)``. A distribution ``T`` is handed on as ``t = τ log T``.
    Hidden hops are replaced only by a transform that computes its own; the inputs of an influence, and the network
    that a method reads, stay those of the teacher itself.

    A subclass has a ``name``, a docstring with a ``Source:`` line, and an ``__init__`` whose arguments have
    defaults and are kept under their own names.

    >>> class Sharpened(Transform):
    ...     name = "sharpened"
    ...
    ...     def __call__(self, graph, teacher, tau, fitted=None):
    ...         return replace(teacher, logits=2 * teacher.logits)
    ...
    >>> Sharpened().learns, Sharpened().others("sage", seed=0)
    (False, [])
    """

    name: ClassVar[str]

    @property
    def learns(self) -> bool:
        """Whether it trains something, which is kept in the cache."""
        return type(self).fit is not Transform.fit

    def others(self, teacher: str, seed: int) -> list[tuple[str, int]]:
        """Returns names and seeds of further teachers, which are trained like the run's own.

        Args:
            teacher: name of the run's own; the same name stands for the same network with the same settings.
            seed: of the run.
        """
        return []

    def check(self, teacher: TeacherOutput) -> None:
        """Checks that a teacher's output has what the transform reads.

        Raises:
            GraphKDError: it has not.
        """

    def fit(self, graph: Graph, teacher: TeacherOutput) -> dict[str, Tensor]:
        """Trains what the transform learns; called with torch's generator seeded by the run.

        Args:
            graph: the observed one; labels of training nodes alone may be read.
            teacher: its frozen output.
        """
        return {}

    def __call__(
        self, graph: Graph, teacher: TeacherOutput, tau: float, fitted: Fitted | None = None
    ) -> TeacherOutput:
        """Returns the teacher that is distilled.

        Args:
            graph: the observed one; to score hidden nodes, the full one.
            teacher: its frozen output.
            tau: temperature of the method.
            fitted: what was trained for it; None for a transform that requires nothing.
        """
        raise NotImplementedError


class NoTransform(Transform):
    """The teacher as it is.

    Source: none

    >>> import torch
    >>> from graphkd.teachers import TeacherOutput
    >>> from graphkd.testing.graphs import small_graph
    >>> teacher = TeacherOutput(torch.zeros(60, 3))
    >>> NoTransform()(small_graph(), teacher, tau=1.0) is teacher
    True
    """

    name = "none"

    def __call__(
        self, graph: Graph, teacher: TeacherOutput, tau: float, fitted: Fitted | None = None
    ) -> TeacherOutput:
        """Returns the teacher itself."""
        return teacher
