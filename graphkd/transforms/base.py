"""What every transform of a teacher is."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from graphkd.datasets import Graph
    from graphkd.teachers import TeacherOutput


class Transform:
    """Computes another teacher from a teacher, once, after its training.

    A loss reads the teacher through ``softmax(t / τ)``. A distribution ``T`` is handed on as ``t = τ log T``.
    Hidden hops, and the inputs of an influence, stay those of the teacher itself.

    A subclass has a ``name``, a docstring with a ``Source:`` line, and an ``__init__`` whose arguments have
    defaults and are kept under their own names.
    """

    name: ClassVar[str]

    def __call__(self, graph: Graph, teacher: TeacherOutput, tau: float) -> TeacherOutput:
        """Returns the teacher that is distilled.

        Args:
            graph: the observed one.
            teacher: its frozen output.
            tau: temperature of the method.
        """
        raise NotImplementedError


class NoTransform(Transform):
    """The teacher as it is.

    Source: none
    """

    name = "none"

    def __call__(self, graph: Graph, teacher: TeacherOutput, tau: float) -> TeacherOutput:
        """Returns the teacher itself."""
        return teacher
