"""What an influence measures: its spread, what it does to a loss, and what it ranks nodes by."""

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
    """What an influence makes of a term of the loss: a factor ``base + slope I_v`` for node ``v``, before means.

    Args:
        base: ``γ1`` of the distillation, ``δ1`` of the supervision.
        slope: ``γ2`` or ``δ2``.
        weights: ``[n]`` float64, NaN for a node that the term does not read.
    """

    base: float
    slope: float
    weights: Tensor

    @property
    def variation(self) -> Variation:
        """Over the nodes that the term reads."""
        return Variation.of(self.weights[~self.weights.isnan()])


@dataclass(frozen=True)
class InfluenceProfile:
    """The influence of a spec on the observed nodes of a graph, on the CPU.

    Args:
        influence: ``[n]`` in [0, 1].
        nodes: ``[n]`` the observed nodes, in the numbers of the whole graph.
        terms: of the loss, by name.
        properties: by name (``graphkd.influence.properties.KINDS``), ``[n]`` each, NaN where a node has none.
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
        """Computes the influence, or finds it, and everything that it is compared with.

        Args:
            view: the graph as the setting shows it.
            spec: names the influence and the method whose loss it weights.
            teacher_result: the teacher, or nothing, which leaves its properties out.
            seed: of the run, added to that of an influence that draws.
            cache: where influences are kept, and found.

        Raises:
            GraphKDError: there is no influence, it fails, or it asks a teacher that is not there.
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
        """Of the influence."""
        return Distribution.of(self.influence)

    @property
    def correlations(self) -> dict[str, Correlation]:
        """Of the influence with each property: Spearman's, and ``2 AUC − 1`` with whether the teacher is right."""
        score = self.influence.numpy()
        return {
            name: rank_biserial(score, values.numpy()) if name == "right" else spearman(score, values.numpy())
            for name, values in self.properties.items()
        }


def check_influence(spec: DistillSpec) -> None:
    """Refuses, before anything is computed, a spec that weights no nodes."""
    if spec.influence is None:
        raise GraphKDError(
            f"method={name_of(spec.method)} with influence=none leaves nothing to measure: choose an influence, "
            "and a method that weights nodes, such as infgrand"
        )


def weighted_terms(method: Method, graph: Graph, influence: Tensor) -> dict[str, WeightedTerm]:
    """The terms of InfGraND's loss: the distillation of every node, the supervision of the training nodes.

    Args:
        method: with its settings; another one than InfGraND says nothing of its weights.
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
