"""The optimiser of a stage: its update rule, the course of its learning rates, and the clipping of gradients."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

RULES: dict[str, type[torch.optim.Optimizer]] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
"""Update rules by name, the values of ``training.optimizer``."""

COURSES: dict[str, Callable[[float], float]] = {
    "constant": lambda share: 1.0,
    "cosine": lambda share: (1 + math.cos(math.pi * share)) / 2,
    "linear": lambda share: 1 - share,
}
"""Share of the epochs that have passed → factor of the learning rates; the values of ``training.schedule``."""


@dataclass(frozen=True)
class Optimiser:
    """The update rule, the schedule of the learning rates and the largest gradient.

    In epoch ``e`` of ``E``, both from 0, every learning rate is multiplied by

    - ``(e + 1) / (w + 1)`` in the warm-up, ``e < w``;
    - ``f((e − w) / (E − w))`` from there on, with ``f(s) = 1`` (``constant``), ``(1 + cos(π s)) / 2`` (``cosine``)
      or ``1 − s`` (``linear``). The last two would reach 0 in epoch ``E``, the first one that is not run.

    The gradients ``g`` of a step, of all parameters, are multiplied by ``min(1, clip_norm / (‖g‖ + 1e-6))``.

    Source: Loshchilov and Hutter, Decoupled Weight Decay Regularization, ICLR 2019 (``adamw``), and SGDR, ICLR
        2017 (``cosine``); Goyal et al., Accurate, Large Minibatch SGD, arXiv 1706.02677, 2017 (warm-up); Pascanu
        et al., On the Difficulty of Training Recurrent Neural Networks, ICML 2013 (clipping)

    Args:
        rule: ``adam``, whose weight decay is L2, or ``adamw``, whose weight decay is decoupled from the gradient.
        schedule: ``constant``, ``cosine`` or ``linear``.
        warmup: ``w``, epochs.
        clip_norm: maximum L2 norm of a step's gradients, or None for any.

    >>> optimiser = Optimiser(schedule="linear", warmup=1)
    >>> [optimiser.factor(epoch, 5) for epoch in range(5)]
    [0.5, 1.0, 0.75, 0.5, 0.25]
    """

    rule: str = "adam"
    schedule: str = "constant"
    warmup: int = 0
    clip_norm: float | None = None

    @property
    def moves(self) -> bool:
        """Whether learning rates still change after the warm-up."""
        return self.schedule != "constant"

    def factor(self, epoch: int, epochs: int) -> float:
        """Returns what the learning rates of an epoch are multiplied by: a function of its number alone.

        Args:
            epoch: ``e``.
            epochs: ``E``.
        """
        if epoch < self.warmup:
            return (epoch + 1) / (self.warmup + 1)
        return COURSES[self.schedule]((epoch - self.warmup) / (epochs - self.warmup))

    def build(self, groups: list[dict[str, Any]], capturable: bool) -> torch.optim.Optimizer:
        """Returns torch's optimiser.

        Args:
            groups: of parameters, with their rates.
            capturable: whether a CUDA graph is to hold its steps.
        """
        # Fused is faster; and the default implementation, on a busy CPU, sometimes took another first step from
        # equal gradients.
        return RULES[self.rule](groups, fused=True, capturable=capturable)  # type: ignore[call-arg]

    def clip(self, members: Sequence[list[dict[str, Any]]]) -> None:
        """Clips the gradients of every member by a norm of its own.

        Args:
            members: groups of each one's parameters.
        """
        if self.clip_norm is None:
            return
        for member in members:
            params = [parameter for group in member for parameter in group["params"]]
            torch.nn.utils.clip_grad_norm_(params, self.clip_norm)
