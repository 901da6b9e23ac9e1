"""The second stage: graph and teacher become targets, after which the graph is not needed."""

from __future__ import annotations

import torch

from graphkd.datasets import Scene
from graphkd.methods import Targets
from graphkd.recipe import Recipe
from graphkd.training.artefacts import Artefacts
from graphkd.training.teach import TeacherResult
from graphkd.training.weights import node_weights


def compile_targets(
    scene: Scene, recipe: Recipe, taught: TeacherResult, seed: int, cache: Artefacts | None = None
) -> Targets:
    """Everything the student will see, computed once; the graph is not needed afterwards.

    Args:
        scene: the graph as the setting shows it; all but its observed part is left alone, unless the method
            is published with an influence of the full graph, which warns.
        recipe: names method, matching and influence.
        taught: the frozen teacher.
        seed: of the run, for an influence that draws.
        cache: where node influences are kept, and found.
    """
    influence = node_weights(scene, recipe, taught, seed, cache)
    with torch.no_grad():
        targets = recipe.method.prepare(scene.observed.with_influence(influence), taught.output)
    return targets if recipe.matching.name == "none" else targets.with_hops(taught.output.hops[:-1])
