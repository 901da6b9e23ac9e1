"""The mean of several teachers."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from graphkd import teachers as networks
from graphkd.errors import GraphKDError
from graphkd.ranges import check_counts
from graphkd.registry import lookup
from graphkd.transforms.base import Fitted, Transform
from graphkd.transforms.distributions import mixture

if TYPE_CHECKING:
    from graphkd.datasets import Graph
    from graphkd.teachers import TeacherOutput


class Ensemble(Transform):
    """``t = τ log mean_k softmax(t_k / τ)`` of several teachers, each trained as the run's own is.

    The networks take turns until there are ``members``: of ``[gcn, sage]`` and 3 members, GCN, SAGE, and GCN with
    another seed. The run's own is the first, and all others have other seeds; those of other networks have their
    defaults. Hidden hops are those of the run's own teacher, since units of separately trained networks have no
    order in common.

    Source: Hinton et al., Distilling the Knowledge in a Neural Network, 2015, section 5 (an ensemble's mean)

    Args:
        members: teachers, the run's own included; 2 or more.
        teachers: names of the networks, the run's own among them; by default it alone.

    >>> [name for name, _ in Ensemble(3, ["gcn", "sage"]).others("sage", seed=0)]
    ['gcn', 'sage']
    """

    name = "ensemble"

    def __init__(self, members: int = 3, teachers: list[str] | None = None) -> None:
        check_counts("transform", 2, members=members)
        named = teachers is None or (
            isinstance(teachers, list) and all(isinstance(each, str) for each in teachers)
        )
        if not named or (teachers is not None and len(set(teachers)) != len(teachers)):
            raise GraphKDError(
                f"transform.teachers is {teachers}: give different names of teachers, such as [gcn,sage]"
            )
        for name in teachers or []:
            lookup(networks, name)
        if teachers is not None and len(teachers) > members:
            raise GraphKDError(
                f"transform.members is {members}, fewer than the {len(teachers)} networks of transform.teachers: "
                f"set it to {len(teachers)} or more"
            )
        self.members, self.teachers = int(members), teachers

    def others(self, teacher: str, seed: int) -> list[tuple[str, int]]:
        """Returns names and seeds of all members but the run's own teacher.

        Raises:
            GraphKDError: the run's own is not among the networks.
        """
        names = self.teachers or [teacher]
        if teacher not in names:
            raise GraphKDError(
                f"transform.teachers is {names} without teacher={teacher}, which is always a member: add it, or "
                f"choose teacher={names[0]}"
            )
        turns = [teacher, *(name for name in names if name != teacher)]
        return [
            (turns[k % len(turns)], zlib.crc32(f"ensemble-{k}-{seed}".encode())) for k in range(1, self.members)
        ]

    def __call__(
        self, graph: Graph, teacher: TeacherOutput, tau: float, fitted: Fitted | None = None
    ) -> TeacherOutput:
        """Returns the mean of all members."""
        assert fitted is not None
        logits = torch.stack([each.logits.double() for each in (teacher, *fitted.others)])
        weights = logits.new_full((len(logits),), 1 / len(logits))
        return replace(teacher, logits=mixture(logits, weights, tau).to(teacher.logits.dtype))
