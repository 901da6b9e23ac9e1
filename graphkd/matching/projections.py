"""Maps that bring a student layer to the width of a teacher layer."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn.utils import parametrizations

from graphkd.errors import GraphKDError


class Projections(nn.Module):
    """The projections of a term: which map takes which student layer to which teacher layer.

    Args:
        kind: a key of ``PROJECTIONS``.
        pairs: all that may be matched.
        student_widths: of the student's ``M`` hidden layers.
        teacher_widths: of the teacher's ``N`` hidden hops.
        any_width: whether layers of different width can be compared as they are.

    Raises:
        GraphKDError: widths differ and ``kind`` is ``none``.
    """

    def __init__(
        self,
        kind: str,
        pairs: list[tuple[int, int]],
        student_widths: list[int],
        teacher_widths: list[int],
        any_width: bool = False,
    ) -> None:
        super().__init__()
        self.widths = student_widths, teacher_widths
        self.shared = kind == "shared"
        self.maps = nn.ModuleDict()
        for i, j in pairs:
            sizes = student_widths[i], teacher_widths[j]
            if kind == "auto" and (any_width or sizes[0] == sizes[1]):
                continue
            make, name = PROJECTIONS[kind], self._name(i, j)
            if make is None:
                _check_widths(*sizes, any_width)
            elif name not in self.maps:
                self.maps[name] = make(*sizes)

    def forward(self, layer: Tensor, i: int, j: int) -> Tensor:
        """Projects student layer ``i``, ``[B, d_S]``, to teacher layer ``j``: ``[B, d_T]``."""
        name = self._name(i, j)
        return self.maps[name](layer) if name in self.maps else layer

    def _name(self, i: int, j: int) -> str:
        return f"{self.widths[0][i]}_to_{self.widths[1][j]}" if self.shared else f"{i}_{j}"


def _check_widths(student: int, teacher: int, any_width: bool) -> None:
    if student != teacher and not any_width:
        raise GraphKDError(
            f"a student layer has width {student}, the teacher's {teacher}: "
            "set matching.projection=linear, or equal hidden_dim"
        )


def _linear(student: int, teacher: int) -> nn.Module:
    return nn.Linear(student, teacher, bias=False)


def _random(student: int, teacher: int) -> nn.Module:
    """Creates a frozen map with entries ``N(0, 1 / d_T)``, which keep squared norms on average."""
    linear = _linear(student, teacher).requires_grad_(False)
    nn.init.normal_(linear.weight, std=teacher**-0.5)  # type: ignore[arg-type]
    return linear


def _orthogonal(student: int, teacher: int) -> nn.Module:
    """Creates a map, orthogonal by Cayley's parametrisation: the fastest, by 4 to 8 times where widths differ."""
    return parametrizations.orthogonal(_linear(student, teacher), orthogonal_map="cayley")


PROJECTIONS: dict[str, Callable[[int, int], nn.Module] | None] = {
    "auto": _linear,
    "none": None,
    "linear": _linear,
    "shared": _linear,
    "random": _random,
    "orthogonal": _orthogonal,
}
"""``auto``: ``linear`` where widths differ and the distance requires equal ones, else none. ``none``: widths must
be equal, unless the distance takes any. ``linear``: a learned bias-free map per pair. ``shared``: one for all
pairs of the same widths. ``random``: drawn once per pair and frozen. ``orthogonal``: learned, with orthonormal
rows or columns, whichever are fewer; in each step, a linear system of the larger width is solved for it. Students'
layers are never negative (ReLU), hops of GAT or before the activation can be: at equal width ``auto`` ignores
that."""
