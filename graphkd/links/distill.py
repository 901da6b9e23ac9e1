"""One run of link distillation: teacher, student and the baseline that learns from labels alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from graphkd.environment import own_environment
from graphkd.errors import GraphKDError
from graphkd.links.bundle import save_predictor
from graphkd.links.fit import LinkFit
from graphkd.links.graph import LinkGraph
from graphkd.links.llp import LLP
from graphkd.links.methods import GLNN, Labels, LinkMethod
from graphkd.links.metrics import auc, link_metrics
from graphkd.links.predictor import LinkPredictor
from graphkd.links.settings import LinkTraining
from graphkd.links.split import LinkSplit
from graphkd.links.student import LinkStudent, train_student
from graphkd.links.teacher import Factory, LinkTeacher, train_teacher
from graphkd.registry import unknown
from graphkd.training.seeds import parse_seed

if TYPE_CHECKING:
    from torch_geometric.data import Data

METHODS: dict[str, type[LinkMethod]] = {method.name: method for method in (Labels, GLNN, LLP)}
"""Methods by name."""


@dataclass(frozen=True)
class LinkRun:
    """A finished run.

    Args:
        metrics: of ``teacher``, ``student`` and ``mlp``, each with ``val_auc`` and, of the test pairs, ``auc``,
            ``ap``, ``hits@20``, ``hits@50`` and ``mrr``; and the ``setting``.
        predictor: of the student, with the embeddings of the graph's nodes.
        teacher: None with the method ``mlp``.
        graph: with its split.
        fits: facts of the training of each network.

    >>> import tempfile
    >>> import graphkd
    >>> quick = LinkTraining(max_epochs=1, hidden_dim=16, embedding_dim=8)
    >>> run = distill(graphkd.load_dataset("digits"), method="mlp", training=quick)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run.save(folder + "/bundle")
    >>> run.fits["student"].epochs
    1
    """

    metrics: dict[str, Any]
    predictor: LinkPredictor
    teacher: LinkTeacher | None
    graph: LinkGraph
    fits: dict[str, LinkFit]

    def save(self, path: str | Path) -> None:
        """Writes the predictor as a bundle, see ``save_predictor``."""
        save_predictor(path, self.predictor)


@own_environment()
def distill(
    data: Data | LinkGraph,
    teacher: str | Factory | LinkTeacher = "sage",
    method: str | LinkMethod = "llp",
    decoder: str = "dot",
    seed: int = 0,
    setting: str = "transductive",
    training: LinkTraining | None = None,
    split: LinkSplit | None = None,
    baseline: bool = True,
    teacher_training: LinkTraining | None = None,
) -> LinkRun:
    """Trains a teacher of links, distils it into an MLP, and evaluates both on held-out pairs.

    Args:
        data: ``x [N, D]`` and ``edge_index [2, E]``; or a ``LinkGraph``, whose split is used then.
        teacher: one of ``graphkd.teachers``, ``cn``, ``aa``, ``ra`` or ``heuristics``; a factory such as
            ``functools.partial(graphkd.teachers.SAGE, aggregator="gcn")``; or one that ``train_teacher`` returned
            for the same graph.
        method: ``llp``, ``glnn`` or ``mlp``, with their default settings; or an instance.
        decoder: of teacher and student: ``dot``, ``hadamard`` or ``bilinear``.
        seed: of the split, the networks and everything drawn.
        setting: ``transductive``, ``production``, ``inductive`` or ``cold_start``, see ``split_edges``.
        training: sizes and optimisation, of all networks alike.
        split: a split that is given, such as OGB's.
        baseline: whether the MLP that learns from labels alone is trained as well: ``mlp`` of the metrics.
        teacher_training: of the teacher, where it is another than the student's; both have one ``embedding_dim``.

    Raises:
        GraphKDError: an unknown name, an invalid setting, or data that cannot be split.

    >>> import graphkd
    >>> data = graphkd.load_dataset("digits")
    >>> quick = LinkTraining(max_epochs=2, hidden_dim=16, embedding_dim=8)
    >>> run = distill(data, teacher="aa", method="glnn", training=quick)
    >>> sorted(run.metrics), run.predictor.score([[0, 1]]).shape
    (['mlp', 'setting', 'student', 'teacher'], torch.Size([1]))
    """
    seed, rule = parse_seed(seed), make_method(method)
    training = LinkTraining() if training is None else training
    graph = data if isinstance(data, LinkGraph) else LinkGraph.from_data(data, seed, setting, split)
    metrics: dict[str, Any] = {"setting": graph.split.setting}
    fits: dict[str, LinkFit] = {}
    taught: LinkTeacher | None = None
    if rule.reads_teacher:
        taught = _taught(graph, teacher, decoder, seed, teacher_training or training)
        metrics["teacher"] = evaluate(graph, taught.inference)
        if taught.fit is not None:
            fits["teacher"] = taught.fit
    student, fits["student"] = train_student(graph, taught, rule, decoder, seed, training)
    card = {"teacher": None if taught is None else taught.name, "method": rule.name, **vars(rule), "seed": seed}
    predictor = _predictor(student, graph, card)
    metrics["student"] = evaluate(graph, predictor.score)
    predictor.card["metrics"] = metrics["student"]
    if baseline and rule.reads_teacher:
        alone, fits["mlp"] = train_student(graph, None, Labels(), decoder, seed, training)
        metrics["mlp"] = evaluate(graph, _predictor(alone, graph, {}).score)
    elif not rule.reads_teacher:
        metrics["mlp"] = metrics["student"]
    return LinkRun(metrics, predictor, taught, graph, fits)


def make_method(method: str | LinkMethod) -> LinkMethod:
    """Makes a method with its default settings from its name; returns an instance as it is.

    Raises:
        GraphKDError: there is no such method.
    """
    if isinstance(method, LinkMethod):
        return method
    if not isinstance(method, str) or method not in METHODS:
        raise GraphKDError(unknown("method", method, [*METHODS]))
    return METHODS[method]()


def evaluate(graph: LinkGraph, score: Callable[[Tensor], Tensor]) -> dict[str, float]:
    """Computes ``val_auc``, and all metrics of the test pairs.

    In the setting ``production`` also ``auc_ind`` and ``auc_tran``: of the pairs with a hidden end, and of others.

    Args:
        graph: with its split.
        score: pairs ``[P, 2]`` → ``[P]``.
    """
    split = graph.split
    positive, negative = score(split.test), score(split.test_negative)
    found = {"val_auc": auc(score(split.val), score(split.val_negative)), **link_metrics(positive, negative)}
    if split.setting == "production":
        new, new_negative = split.hidden(split.test), split.hidden(split.test_negative)
        found["auc_ind"] = auc(positive[new], negative[new_negative])
        found["auc_tran"] = auc(positive[~new], negative[~new_negative])
    return found


def _taught(
    graph: LinkGraph, teacher: str | Factory | LinkTeacher, decoder: str, seed: int, training: LinkTraining
) -> LinkTeacher:
    return teacher if isinstance(teacher, LinkTeacher) else train_teacher(graph, teacher, decoder, seed, training)


def _predictor(student: LinkStudent, graph: LinkGraph, card: dict[str, Any]) -> LinkPredictor:
    """Returns the predictor of the graph's nodes, whose rows are preprocessed already."""
    with torch.no_grad():
        table = student.embed(graph.x)
    return LinkPredictor(student, graph.preprocessing, table, card, graph.nodes, graph.columns)
