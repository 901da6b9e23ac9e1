"""What a balance relies on holds for every method: where labels, the teacher and the answer are."""

from dataclasses import replace

import pytest
import torch

from graphkd import methods
from graphkd.methods import CoLinkDist, LinkDist
from graphkd.registry import catalogue
from graphkd.testing.methods import step, task_of
from tests.contract.core import EVERY

EDGES = (LinkDist, CoLinkDist)
"""Methods with label losses of a second head, which no balance changes."""


@pytest.mark.parametrize("name", EVERY)
def test_a_weight_of_every_class_scales_the_label_loss(name: str) -> None:
    task, targets = task_of(catalogue(methods)[name], double=True)
    rows = task.training_rows(targets)
    task.eval()  # no dropout
    for phase in task.method.phases():
        losses = []
        for factor in (None, 1.0, 3.0):
            weight = None if factor is None else torch.full((3,), factor, dtype=torch.float64)
            torch.manual_seed(0)
            losses.append(step(task, phase, replace(rows, class_weight=weight)))
        if "label" not in losses[0]:
            continue
        plain, ones, threes = (float(loss["label"].detach()) for loss in losses)
        assert ones == pytest.approx(plain, rel=1e-12)
        assert plain < threes < 3 * plain if isinstance(task.method, EDGES) else threes == pytest.approx(3 * plain)


def test_a_class_of_weight_0_is_not_learned_from() -> None:
    task, targets = task_of(methods.GLNN, double=True)
    rows = task.training_rows(targets)
    weight = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    wrong = torch.where(targets.labels == 0, targets.labels, (targets.labels % 2) + 1)
    logits = torch.randn(60, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    losses = [
        replace(rows, class_weight=weight, labels=labels).label_loss(logits) for labels in (targets.labels, wrong)
    ]
    assert torch.equal(*losses)


@pytest.mark.parametrize("name", EVERY)
def test_what_a_method_folds_and_ships_is_as_declared(name: str) -> None:
    task, targets = task_of(catalogue(methods)[name])
    assert task.student.name == task.method.ships
    if task.method.has_teacher:
        assert (targets.soft is not None) == task.method.folds_teacher
