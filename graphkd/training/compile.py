"""The second stage: graph and teacher become targets, after which the graph is not needed."""

from __future__ import annotations

from typing import Any

import torch

from graphkd.datasets import Scene
from graphkd.distributed import world
from graphkd.methods import Targets
from graphkd.recipe import Recipe
from graphkd.training.artefacts import Artefacts, cache_for, code_of
from graphkd.training.teach import TeacherResult
from graphkd.training.weights import node_weights


def compile_targets(
    scene: Scene, recipe: Recipe, taught: TeacherResult, seed: int, cache: Artefacts | None = None
) -> Targets:
    """Everything the student will see, computed once; the graph is not needed afterwards.

    With a memory budget its tables are files in the cache, made in blocks; a compile that was killed goes on after
    the last block that it finished.

    Args:
        scene: the graph as the setting shows it; all but its observed part is left alone, unless the method
            is published with an influence of the full graph, which warns.
        recipe: names method, matching and influence.
        taught: the frozen teacher.
        seed: of the run, for an influence that draws.
        cache: where node influences are kept, and found, and how tables are kept.
    """
    kept = cache_for(recipe, cache)
    with kept.workspace("compile", _key(scene, recipe, taught, seed)), torch.no_grad():
        influence = node_weights(scene, recipe, taught, seed, cache)
        graph = scene.observed.with_influence(influence)
        in_files = kept.tables.bytes is not None  # which the first of several processes writes
        targets = world().in_turn(lambda: recipe.method.prepare(graph, taught.output), in_files)
    return targets if recipe.matching.name == "none" else targets.with_hops(taught.output.hops[:-1])


def _key(scene: Scene, recipe: Recipe, taught: TeacherResult, seed: int) -> dict[str, Any]:
    """All that the tables depend on."""
    config = recipe.config()
    return {
        "teacher": taught.key,
        "graph": scene.observed.fingerprint(),
        "full": scene.full.fingerprint() if recipe.leaks else None,
        "method": config["method"],
        "influence": config["influence"],
        "seed": seed,
        "code": code_of("datasets", "influence", "methods", "sparse", "tables"),
    }
