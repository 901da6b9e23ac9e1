"""What an influence may ask for beyond features and edges."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from graphkd import influence
from graphkd.influence._shuffled import shuffled
from graphkd.registry import lookup

INPUTS = ("labels", "logits", "perturbed")
"""Arguments that a run fills in where an influence has one of this name without a default.

- ``labels``: ``[N]`` int64 classes of the training nodes, −1 for every other node.
- ``logits``: ``[N, C]`` of the frozen teacher.
- ``perturbed``: noise ``[N, D]`` → the teacher's logits ``[N, C]`` where it is added to the features.
"""


def inputs_of(part: Callable[..., Any] | None) -> list[str]:
    """The inputs that an influence asks for; ``shuffled`` asks for what its base does.

    Args:
        part: the influence, or a ``functools.partial`` of one; nothing asks for nothing.

    Raises:
        GraphKDError: the base of ``shuffled`` is unknown.
    """
    found = signature(part)
    if getattr(part, "func", part) is shuffled:
        return inputs_of(lookup(influence, found["base"].default))
    return [name for name in INPUTS if name in found and found[name].default is inspect.Parameter.empty]


def reads_teacher(part: Callable[..., Any] | None) -> bool:
    """Whether the weights depend on the teacher."""
    return not {"logits", "perturbed"}.isdisjoint(inputs_of(part))


def signature(part: Callable[..., Any] | None) -> dict[str, inspect.Parameter]:
    """The arguments of an influence; none of what Python cannot look into."""
    try:
        return {} if part is None else dict(inspect.signature(part).parameters)
    except (TypeError, ValueError):
        return {}
