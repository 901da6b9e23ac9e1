"""Profile of an influence: its distribution, its effect on the loss, and its rank correlations with properties."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from graphkd.datasets import Graph, SettingView
from graphkd.errors import GraphKDError
from graphkd.evaluation import Correlation, rank_biserial, spearman
from graphkd.influence.distribution import Distribution, Variation
from graphkd.influence.properties import graph_properties, teacher_properties
from graphkd.methods import InfGraND, Method
from graphkd.spec import DistillSpec, name_of
from graphkd.training.stages.node_weights import node_weights
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.teacher import TeacherResult


@dataclass(frozen=True)
class WeightedTerm:
    """Weights of a term of the loss by the influence: a factor ``base + slope I_v`` for node ``v``, before means.

    Args:
        base: ``γ1`` of the distillation, ``δ1`` of the supervision.
        slope: ``γ2`` or ``δ2``.
        weights: ``[n]`` float64, NaN for a node that is not in the term.
    """

    base: float
    slope: float
    weights: Tensor

    @property
    def variation(self) -> Variation:
        """Variation of the weights over the nodes in the term."""
        return Variation.of(self.weights[~self.weights.isnan()])


@dataclass(frozen=True)
class InfluenceProfile:
    """The influence of a spec on the observed nodes of a graph, on the CPU.

    Args:
        influence: ``[n]`` in [0, 1].
        nodes: ``[n]`` indices of the observed nodes in the whole graph.
        terms: of the loss, by name.
        properties: by name (``graphkd.influence.properties.KINDS``), ``[n]`` each, NaN where undefined.
    """

    influence: Tensor
    nodes: Tensor
    terms: dict[str, WeightedTerm]
    properties: dict[str, Tensor]

    @classmethod
    def of(
        cls,
        view: SettingView,
        spec: DistillSpec,
        teacher_result: TeacherResult | None,
        seed: int,
        cache: StageCache | None = None,
    ) -> InfluenceProfile:
        """Computes the influence, or loads it from the cache, and everything that it is compared with.

        Args:
            view: the graph as visible in the setting.
            spec: names the influence and the method whose loss it weights.
            teacher_result: the teacher, or None, which omits its properties.
            seed: of the run, added to that of a random influence.
            cache: of influences.

        Raises:
            GraphKDError: there is no influence, it fails, or it requires a teacher and there is none.
        """
        check_influence(spec)
        influence = node_weights(view, spec, teacher_result, seed, cache)
        assert influence is not None
        properties = graph_properties(view.observed)
        if teacher_result is not None:
            properties |= teacher_properties(view.observed, teacher_result.output.logits)
        terms = weighted_terms(spec.method, view.observed, influence)
        return cls(
            influence.cpu(), view.nodes.cpu(), terms, {name: part.cpu() for name, part in properties.items()}
        )

    @property
    def distribution(self) -> Distribution:
        """Distribution of the influence."""
        return Distribution.of(self.influence)

    @property
    def correlations(self) -> dict[str, Correlation]:
        """Rank correlations of the influence by property: Spearman's, and ``2 AUC − 1`` for the teacher's hits."""
        score = self.influence.numpy()
        return {
            name: rank_biserial(score, values.numpy()) if name == "right" else spearman(score, values.numpy())
            for name, values in self.properties.items()
        }


def check_influence(spec: DistillSpec) -> None:
    """Checks, before anything is computed, that a spec weights nodes."""
    if spec.influence is None:
        raise GraphKDError(
            f"method={name_of(spec.method)} with influence=none leaves nothing to measure: choose an influence, "
            "and a method that weights nodes, such as infgrand"
        )


def weighted_terms(method: Method, graph: Graph, influence: Tensor) -> dict[str, WeightedTerm]:
    """Computes the weights in InfGraND's loss: distillation of every node, supervision of the training nodes.

    Args:
        method: with its settings; any other method than InfGraND has no such terms.
        graph: checked data.
        influence: ``[N]``.

    Returns:
        By name, on the CPU.
    """
    if not isinstance(method, InfGraND):
        return {}
    values, train = influence.cpu().double(), graph.train.cpu()
    labelled = torch.full_like(values, torch.nan)
    labelled[train] = method.delta1 + method.delta2 * values[train]
    return {
        "distillation": WeightedTerm(method.gamma1, method.gamma2, method.gamma1 + method.gamma2 * values),
        "supervision": WeightedTerm(method.delta1, method.delta2, labelled),
    }
