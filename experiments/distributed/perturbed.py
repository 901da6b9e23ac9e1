"""``graphkd distill`` with every weight of the student's start larger by a unit in the last place: a control."""

from __future__ import annotations

import sys
from typing import Any

import torch

from graphkd.cli import main
from graphkd.training.fit.task import DistillationTask
from graphkd.training.stages import student

UNIT = 2.0**-23
START = student.start_task


def perturbed(*args: Any) -> DistillationTask:
    task = START(*args)
    with torch.no_grad():
        for weight in task.parameters():
            weight.mul_(1 + UNIT)
    return task


student.start_task = perturbed
sys.exit(main(["distill", *sys.argv[1:]]))
