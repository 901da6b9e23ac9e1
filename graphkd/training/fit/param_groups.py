"""The optimiser's groups: parameters that learn at the same rates take their step in one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from graphkd.training.fit.train_spec import TrainSpec


class ParamGroups:
    """Learning rates and weight decay of every member's parameters.

    A step of Adam is a call per group, and on a GPU a call costs the same for few parameters as for many: what
    agrees in its rates is one group, whoever's parameters they are.

    Args:
        train_spec: whose parameters.
    """

    def __init__(self, train_spec: TrainSpec) -> None:
        self.members = train_spec.groups
        self.weight_decay = train_spec.weight_decay

    def groups(self, begun: Sequence[bool]) -> list[dict[str, Any]]:
        """As Adam takes them, in the order of the members.

        Args:
            begun: per member, whether learning has begun: from then on its weights decay.
        """
        found: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
        for member, decay, learns in zip(self.members, self.weight_decay, begun, strict=True):
            for group in member:
                found.setdefault((group["lr"], decay if learns else 0.0), []).extend(group["params"])
        return [{"params": params, "lr": lr, "weight_decay": decay} for (lr, decay), params in found.items()]

    def hand(self, optimizer: torch.optim.Optimizer, begun: Sequence[bool]) -> bool:
        """Gives the optimiser its groups as they are now; whether they are other ones than before."""
        wanted, given = self.groups(begun), optimizer.param_groups
        if [_rates(group) for group in wanted] == [_rates(group) for group in given]:
            return False
        optimizer.param_groups = [{**given[0], **group} for group in wanted]
        return True


def _rates(group: dict[str, Any]) -> tuple[float, float, list[int]]:
    return group["lr"], group["weight_decay"], [id(parameter) for parameter in group["params"]]
