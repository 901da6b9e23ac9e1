"""Angles between teacher layers of one trained seed, before and after its training."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from graphkd.datasets.setting import apply_setting
from graphkd.errors import GraphKDError
from graphkd.matching import LayerAngles, MatchingTerm
from graphkd.runs.seed import SeedRun
from graphkd.sparse import Inputs
from graphkd.training.fit.task import DistillationTask
from graphkd.training.seeds import seeded
from graphkd.training.stages.student import start_task
from graphkd.training.stages.targets import compile_targets


@dataclass(frozen=True)
class Angles:
    """Angles between the teacher's hidden hops as seen from student layers, without dropout, on the CPU.

    Args:
        before: at the student's initialisation with its seed.
        after: of the trained student.
        nodes: ``[n]`` indices of the observed nodes in the whole graph.
    """

    before: LayerAngles
    after: LayerAngles
    nodes: Tensor

    @classmethod
    def of(cls, result: SeedRun) -> Angles:
        """Computes both on the inputs that the student was trained on; warns of angles that are left out.

        Args:
            result: the trained seed.

        Raises:
            GraphKDError: the student had no teacher, or there is no angle between the layers.
        """
        spec, seed = result.spec, result.seed
        if not spec.uses_teacher:
            raise GraphKDError(
                f"a student of method={spec.method.name} has no teacher whose layers it could see: "
                "choose a run of another method"
            )
        view = apply_setting(result.graph, spec.setting, seed)
        # Node weights affect neither inputs nor hops.
        plain, encoding = replace(spec, influence=None), result.distilled.encoding
        teacher_result = result.distilled.teacher_result
        targets = compile_targets(view, plain, teacher_result, seed, encoding=encoding)
        hops = targets.hops or teacher_result.output.hops[:-1]
        with seeded(seed, "student", view.observed.y.device):
            start = start_task(view.observed, spec, targets, seed, teacher_result.answering)
        before, after = (_seen(task, targets.inputs, hops) for task in (start, result.distilled.task))
        _warn(after)
        return cls(before, after, view.nodes.cpu())

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """``P`` pairs ``j < k`` of the teacher's hidden layers, 0-based."""
        return self.after.pairs

    @property
    def depths(self) -> tuple[int, int]:
        """Hidden layers of student and teacher."""
        return self.after.cosines.shape[0], self.pairs[-1][1] + 1


def _seen(task: DistillationTask, inputs: Inputs, hops: list[Tensor]) -> LayerAngles:
    with torch.no_grad():
        hidden = task.eval().student(inputs).hidden
    term = next((term for term in task.terms if isinstance(term, MatchingTerm)), None)
    angles = LayerAngles.of(hidden, hops, term)
    return LayerAngles(angles.cosines.cpu(), angles.pairs)


def _warn(found: LayerAngles) -> None:
    missing, total = len(found.left_out), found.cosines.shape[0] * found.cosines.shape[1]
    if missing:
        warnings.warn(
            f"{missing} of {total} angles are left out: two teacher layers differ in width, or the student layer "
            "has neither their width nor a projection to it",
            stacklevel=3,
        )
