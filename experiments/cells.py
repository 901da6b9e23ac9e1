"""One seed of one cell: a teacher, and every student that is distilled from it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace

import torch
from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn

from graphkd.commands.distill import load_graph
from graphkd.datasets import Scene
from graphkd.recipe import Recipe
from graphkd.training.artefacts import Artefacts
from graphkd.training.loop import Log
from graphkd.training.student import StudentResult, train_student
from graphkd.training.teach import TeacherResult, teach


def scene_of(config: DictConfig, seed: int, data_dir: str, device: str = "cpu") -> Scene:
    """The data set of a config as its setting shows it."""
    here = OmegaConf.merge(config, {"data_dir": data_dir, "device": device})
    assert isinstance(here, DictConfig)
    return Scene.of(load_graph(here, seed), config.setting.name, seed)


def run_cell(
    config: DictConfig,
    seed: int,
    data_dir: str,
    students: Mapping[str, Recipe],
    cache: Artefacts,
    device: str = "cpu",
) -> dict[str, dict[str, float]]:
    """Returns scores, epochs and seconds of the teacher, if any student reads it, and of every student, by name.

    Args:
        config: names data set and setting.
        seed: of the split, of what a setting hides, and of every network.
        data_dir: where the data is.
        students: recipes with the same teacher.
        cache: where trained networks are kept, and found.
        device: ``cpu`` or ``cuda``.
    """
    scene, log = scene_of(config, seed, data_dir, device), Log()
    heard = any(recipe.hears_teacher for recipe in students.values())
    recipe = next(iter(students.values()))
    if not heard:
        recipe = replace(recipe, teacher=Silent(scene.observed.num_classes))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*hides nodes that the given teacher may have seen")
        taught = teach(scene, recipe, seed, log, cache)
    results: dict[str, TeacherResult | StudentResult] = {"teacher": taught} if heard else {}
    for name, recipe in students.items():
        results[name] = train_student(scene, recipe, taught, seed, log, cache)
    return {name: _facts(result) for name, result in results.items()}


class Silent(nn.Module):
    """Stands for a teacher where no student reads one, so that none is trained: logits ``[n, C]`` of zeros."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None = None) -> Tensor:
        """See the class."""
        return torch.zeros(x.shape[0], self.num_classes)


def _facts(result: TeacherResult | StudentResult) -> dict[str, float]:
    compiled = result.compile_seconds if isinstance(result, StudentResult) else 0.0
    return {
        **{key: result.scores[key] for key in ("val", "test")},
        "epochs": result.fit.epochs,
        "seconds": round(result.fit.seconds + compiled, 2),
    }
