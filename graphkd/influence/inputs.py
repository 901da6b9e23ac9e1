"""Optional inputs of influences in addition to features and edges."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from graphkd import influence
from graphkd.influence._shuffled import shuffled
from graphkd.registry import lookup

INPUTS = ("labels", "logits", "perturbed")
"""Arguments that a run provides if an influence has a parameter of this name without a default.

- ``labels``: ``[N]`` int64 classes of the training nodes, −1 for every other node.
- ``logits``: ``[N, C]`` of the frozen teacher.
- ``perturbed``: noise ``[N, D]`` → the teacher's logits ``[N, C]`` on features plus noise.
"""


def inputs_of(part: Callable[..., Any] | None) -> list[str]:
    """Returns the inputs that an influence requires; those of ``shuffled`` are the base's.

    Args:
        part: the influence, or a ``functools.partial`` of one; ``None`` requires no inputs.

    Raises:
        GraphKDError: the base of ``shuffled`` is unknown.
    """
    parameters = signature(part)
    if getattr(part, "func", part) is shuffled:
        return inputs_of(lookup(influence, parameters["base"].default))
    return [name for name in INPUTS if name in parameters and parameters[name].default is inspect.Parameter.empty]


def reads_teacher(part: Callable[..., Any] | None) -> bool:
    """Returns whether the weights depend on the teacher."""
    return not {"logits", "perturbed"}.isdisjoint(inputs_of(part))


def signature(part: Callable[..., Any] | None) -> dict[str, inspect.Parameter]:
    """Returns the parameters of an influence; none if Python cannot inspect it."""
    try:
        return {} if part is None else dict(inspect.signature(part).parameters)
    except (TypeError, ValueError):
        return {}
