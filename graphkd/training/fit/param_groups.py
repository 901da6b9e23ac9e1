"""The optimiser's parameter groups: parameters with the same rates are updated in one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from graphkd.training.fit.train_spec import TrainSpec


class ParamGroups:
    """Learning rates and weight decay of every member's parameters.

    A step of Adam is a call per group, and on a GPU a call costs the same for few parameters as for many:
    parameters with the same rates form one group, whichever members they belong to. A schedule multiplies all
    learning rates by one factor, so that their ratios stay.

    Args:
        train_spec: holds the parameters.
    """

    def __init__(self, train_spec: TrainSpec) -> None:
        self.members = train_spec.groups
        self.weight_decay = train_spec.weight_decay

    def groups(self, begun: Sequence[bool], factor: float = 1.0) -> list[dict[str, Any]]:
        """Returns the groups for the optimiser, in the order of the members.

        Args:
            begun: per member, whether learning has begun: from then on weight decay applies.
            factor: of all learning rates.
        """
        params_by_rates: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
        for member, decay, learns in zip(self.members, self.weight_decay, begun, strict=True):
            for group in member:
                params_by_rates.setdefault((group["lr"], decay if learns else 0.0), []).extend(group["params"])
        return [
            {"params": params, "lr": lr * factor, "weight_decay": decay}
            for (lr, decay), params in params_by_rates.items()
        ]

    def hand(self, optimizer: torch.optim.Optimizer, begun: Sequence[bool], factor: float = 1.0) -> bool:
        """Updates the optimiser's groups, and returns whether they have changed."""
        groups, current = self.groups(begun, factor), optimizer.param_groups
        if [_rates(group) for group in groups] == [_rates(group) for group in current]:
            return False
        optimizer.param_groups = [{**current[0], **group} for group in groups]
        return True


def _rates(group: dict[str, Any]) -> tuple[float, float, list[int]]:
    return group["lr"], group["weight_decay"], [id(parameter) for parameter in group["params"]]
