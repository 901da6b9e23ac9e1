"""The second stage: graph and teacher become targets, after which the graph is not needed."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor

from graphkd.datasets import Graph, Scene
from graphkd.errors import GraphKDError
from graphkd.methods import Targets
from graphkd.recipe import Recipe, name_of
from graphkd.teachers import TeacherOutput
from graphkd.training.artefacts import Artefact, Artefacts, cache_for, code_of


def compile_targets(
    scene: Scene, recipe: Recipe, output: TeacherOutput, cache: Artefacts | None = None
) -> Targets:
    """Everything the student will see, computed once; the graph is not needed afterwards.

    Args:
        scene: the graph as the setting shows it; all but its observed part is left alone, unless the method
            is published with an influence of the full graph, which warns.
        recipe: names method, matching and influence.
        output: the frozen teacher.
        cache: where node influences are kept, and found.
    """
    influence = None if recipe.influence is None else _influence(scene, recipe, cache_for(recipe, cache))
    with torch.no_grad():
        targets = recipe.method.prepare(scene.observed.with_influence(influence), output)
    return targets if recipe.matching.name == "none" else targets.with_hops(output.hops[:-1])


def _influence(scene: Scene, recipe: Recipe, cache: Artefacts) -> Tensor:
    """``[n]`` weights of the observed nodes."""
    assert recipe.influence is not None
    graph = scene.full if recipe.leaks else scene.observed
    if recipe.leaks:
        warnings.warn(
            f"{recipe.method.name}'s variant=reference takes the influence from the full graph, hidden nodes "
            "included, as published; variant=paper sees observed nodes only",
            stacklevel=2,
        )
    key = {
        "graph": graph.fingerprint(),
        "influence": recipe.config()["influence"],
        "device": graph.y.device.type,
        "code": code_of("influence", "sparse"),
    }
    kept = cache.load("influence", key)
    weights = _weights(recipe, graph) if kept is None else kept.tensors["influence"]
    _check(weights, graph.num_nodes)
    weights = weights.to(graph.y.device)
    if kept is None:
        cache.save("influence", key, Artefact({"influence": weights}, {}))
    return weights[scene.nodes] if recipe.leaks else weights


def _weights(recipe: Recipe, graph: Graph) -> Any:
    assert recipe.influence is not None
    try:
        return recipe.influence(graph.x, graph.adj)
    except GraphKDError:
        raise
    except Exception as error:  # a person's function can fail in any way
        raise GraphKDError(
            f"influence={name_of(recipe.influence)} failed when called with (x, adj): {type(error).__name__}: "
            f"{(str(error).splitlines() or [''])[0]}: correct it"
        ) from error


def _check(weights: Any, num_nodes: int) -> None:
    right = isinstance(weights, Tensor) and weights.shape == (num_nodes,)
    if not right or not bool(((weights >= 0) & (weights <= 1)).all()):
        raise GraphKDError(f"influence must return a tensor [{num_nodes}] of weights between 0 and 1: scale them")
