"""The node weights of a run: an influence gets what it asks for, and what it says is checked and kept."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from graphkd.datasets import Graph, Scene
from graphkd.errors import GraphKDError
from graphkd.influence.inputs import inputs_of, reads_teacher, signature
from graphkd.numbers import is_whole
from graphkd.recipe import Recipe, name_of
from graphkd.sparse import Features
from graphkd.training.artefacts import Artefact, Artefacts, arithmetic, cache_for, code_of, made_by_first
from graphkd.training.teach import TeacherResult


def node_weights(
    scene: Scene, recipe: Recipe, taught: TeacherResult | None, seed: int, cache: Artefacts | None = None
) -> Tensor | None:
    """Weights of the observed nodes, ``[n]``; nothing where the recipe has no influence.

    Args:
        scene: the graph as the setting shows it; its observed part is read, and all of it only where the method
            is published with an influence of the full graph, which warns.
        recipe: names the influence.
        taught: the teacher, for influences that ask it; nothing where there is none.
        seed: of the run, added to that of an influence that draws.
        cache: where weights are kept, and found.

    Raises:
        GraphKDError: the influence fails, gives no weights, or asks a teacher that is not there.
    """
    if recipe.influence is None:
        return None
    if taught is None and reads_teacher(recipe.influence):
        raise GraphKDError(
            f"influence={name_of(recipe.influence)} asks the teacher, and there is none: give one, or choose "
            "another influence"
        )
    graph, cache = scene.full if recipe.leaks else scene.observed, cache_for(recipe, cache)
    if recipe.leaks:
        warnings.warn(
            f"{recipe.method.name}'s variant=reference takes the influence from the full graph, hidden nodes "
            "included, as published; variant=paper sees observed nodes only",
            stacklevel=2,
        )
    told = {**_seed(recipe, seed), **_columns(recipe, scene)}
    key = {
        "graph": graph.fingerprint(),
        "influence": recipe.config()["influence"],
        "teacher": taught.key if taught is not None and reads_teacher(recipe.influence) else None,
        "device": arithmetic(graph.y.device),
        "code": code_of("influence", "sparse"),
        **told,
    }
    kept = cache.load("influence", key)
    made = kept or made_by_first(lambda: _made(recipe, graph, taught, told))
    weights = made.tensors["influence"].to(graph.y.device)
    _check(weights, graph.num_nodes)
    if kept is None:
        cache.save("influence", key, Artefact({"influence": weights}, {}))
    return weights[scene.nodes] if recipe.leaks else weights


def _seed(recipe: Recipe, seed: int) -> dict[str, int]:
    """The ``seed`` of an influence that has one, with the run's added to it."""
    parameter = signature(recipe.influence).get("seed")
    own = None if parameter is None else parameter.default
    return {"seed": (own + seed) % 2**32} if is_whole(own) and own >= 0 else {}  # type: ignore[operator]


def _columns(recipe: Recipe, scene: Scene) -> dict[str, int]:
    """As many first nodes as are observed, where the full graph is read: what the released code sums over."""
    parameter = signature(recipe.influence).get("columns")
    open_ = recipe.leaks and parameter is not None and parameter.default is None
    return {"columns": scene.nodes.numel()} if open_ else {}


def _made(recipe: Recipe, graph: Graph, taught: TeacherResult | None, told: dict[str, int]) -> Artefact:
    weights = _called(recipe, graph, taught, told)
    _check(weights, graph.num_nodes)
    return Artefact({"influence": weights}, {})


def _called(recipe: Recipe, graph: Graph, taught: TeacherResult | None, told: dict[str, int]) -> Any:
    assert recipe.influence is not None
    inputs = {name: _input(name, graph, taught) for name in inputs_of(recipe.influence)}
    try:
        with torch.no_grad():
            return recipe.influence(graph.x, graph.adj, **told, **inputs)
    except GraphKDError:
        raise
    except Exception as error:  # a person's function can fail in any way
        raise GraphKDError(
            f"influence={name_of(recipe.influence)} failed when called with ({', '.join(['x', 'adj', *inputs])}): "
            f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}: correct it"
        ) from error


def _input(name: str, graph: Graph, taught: TeacherResult | None) -> Any:
    """One of ``graphkd.influence.inputs.INPUTS``, of this graph."""
    if name == "labels":  # those of other nodes are what the student is scored by
        labels = torch.full_like(graph.y, -1)
        labels[graph.train] = graph.y[graph.train]
        return labels
    assert taught is not None
    if name == "logits":
        return taught.of(graph).logits

    def perturbed(noise: Tensor) -> Tensor:
        stored = None if graph.stored is None else _plus(graph.stored, noise)
        return taught.of(replace(graph, x=_plus(graph.x, noise), stored=stored)).logits

    return perturbed


def _plus(features: Features, noise: Tensor) -> Tensor:
    dense = features if isinstance(features, Tensor) else features.to_dense()
    return dense + noise.to(dense)


def _check(weights: Any, num_nodes: int) -> None:
    right = isinstance(weights, Tensor) and weights.shape == (num_nodes,)
    if not right or not bool(((weights >= 0) & (weights <= 1)).all()):
        raise GraphKDError(f"influence must return a tensor [{num_nodes}] of weights between 0 and 1: scale them")
