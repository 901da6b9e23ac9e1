"""Teachers of links: a graph neural network with a decoder, or a heuristic whose scores are made logits."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphkd import teachers
from graphkd.errors import GraphKDError
from graphkd.links.calibrate import logistic_map
from graphkd.links.decoders import Decoder, make_decoder
from graphkd.links.fit import LinkFit, fit
from graphkd.links.graph import LinkGraph
from graphkd.links.heuristics import HEURISTICS, Heuristic
from graphkd.links.metrics import auc
from graphkd.links.settings import LinkTraining
from graphkd.registry import catalogue, lookup, parameters_of, unknown
from graphkd.sparse import Adjacency, Features
from graphkd.training.seeds import seeded

Scorer = Callable[[Tensor], Tensor]
"""Pairs ``[P, 2]`` → logits ``[P]``."""

Factory = Callable[..., nn.Module]
"""A teacher's class, or a ``functools.partial`` of one, called with its sizes."""

BLOCK = 2**16
"""Pairs that are scored in one step."""


@dataclass(frozen=True)
class LinkTeacher:
    """A frozen teacher.

    Args:
        name: of the encoder or of the heuristic.
        training: scores pairs of observed nodes, in their own numbers, from the training graph.
        inference: scores pairs of all nodes, from the graph that is known when it answers.
        fit: of a network; None of a heuristic.

    >>> known = torch.tensor([[0.0, 2.0], [2.0, 0.0]])  # scores from elsewhere teach as well
    >>> teacher = LinkTeacher("table", *[lambda pairs: known[pairs[:, 0], pairs[:, 1]]] * 2)
    >>> teacher.training(torch.tensor([[0, 1]]))
    tensor([2.])
    """

    name: str
    training: Scorer
    inference: Scorer
    fit: LinkFit | None = None


class LinkEncoder(nn.Module):
    """A teacher network, whose logits are embeddings, with a decoder.

    Args:
        encoder: features ``[N, D]`` and a graph → ``TeacherOutput`` with ``logits [N, d]``.
        decoder: of embeddings ``[…, d]``.
    """

    def __init__(self, encoder: nn.Module, decoder: Decoder) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def embed(self, x: Features, adj: Adjacency) -> Tensor:
        """Computes embeddings ``[N, d]``."""
        embeddings: Tensor = self.encoder(x, adj).logits
        return embeddings


def train_teacher(
    graph: LinkGraph,
    name: str | Factory,
    decoder: str = "dot",
    seed: int = 0,
    training: LinkTraining | None = None,
) -> LinkTeacher:
    """Trains a network on the training edges, or prepares a heuristic.

    A network minimises ``mean BCE(σ(s), y)`` over the training edges and as many pairs without one. A heuristic is
    mapped to a logit, ``a h(u, v) + b``, which is fitted to the same pairs; its order of pairs is unchanged.

    Args:
        graph: with its split.
        name: one of ``graphkd.teachers``, or ``cn``, ``aa``, ``ra``, ``heuristics``; or a factory of a network,
            which is called with ``num_features``, ``num_classes`` and the sizes of ``training``.
        decoder: of a network: ``dot``, ``hadamard`` or ``bilinear``.
        seed: of weights, dropout and negatives.
        training: settings.

    Raises:
        GraphKDError: there is no such teacher or decoder, or the loss diverges.

    >>> from graphkd import load_dataset
    >>> graph = LinkGraph.from_data(load_dataset("digits"))
    >>> teacher = train_teacher(graph, "aa")
    >>> auc(teacher.inference(graph.split.test), teacher.inference(graph.split.test_negative)) > 0.9
    True
    """
    training = LinkTraining() if training is None else training
    if not isinstance(name, str):
        return _network(graph, name, decoder, seed, training)
    if name in HEURISTICS:
        return _heuristic(graph, name, seed, training)
    known = [*catalogue(teachers), *HEURISTICS]
    if name not in known:
        raise GraphKDError(unknown("teacher", name, known))
    return _network(graph, lookup(teachers, name), decoder, seed, training)


def _network(graph: LinkGraph, factory: Factory, decoder: str, seed: int, training: LinkTraining) -> LinkTeacher:
    seen, dim = graph.training, training.embedding_dim
    negatives = seen.negatives(training.negatives, seed)
    with seeded(seed, "links-teacher", torch.device("cpu")):
        encoder = factory(num_features=graph.x.shape[1], num_classes=dim, **_sizes(factory, training))
        model = LinkEncoder(encoder, make_decoder(decoder, dim))
        labels = torch.cat([torch.ones(len(seen.train)), torch.zeros(len(seen.train))])

        def loss(epoch: int) -> Tensor:
            pairs = torch.cat([seen.train, negatives[epoch % len(negatives)]])
            table = model.embed(seen.x, seen.adj)
            return F.binary_cross_entropy_with_logits(_pair_scores(model.decoder, table, pairs), labels)

        def validate() -> float:
            score = scorer(model.decoder, model.embed(seen.x, seen.adj))
            return auc(score(seen.val), score(seen.val_negative))

        facts = fit(model, lambda epoch: [lambda: loss(epoch)], validate, training)
    with torch.no_grad():
        known, answered = model.embed(seen.x, seen.adj), model.embed(graph.x, graph.split.inference_adj)
    return LinkTeacher(
        name_of_teacher(factory), scorer(model.decoder, known), scorer(model.decoder, answered), facts
    )


def name_of_teacher(teacher: str | Factory) -> str:
    """Returns the name of a teacher that is given by name, or as a factory."""
    if isinstance(teacher, str):
        return teacher
    made = teacher.func if isinstance(teacher, functools.partial) else teacher
    return str(getattr(made, "name", getattr(made, "__name__", "own")))


def _sizes(factory: Factory, training: LinkTraining) -> dict[str, Any]:
    """Returns the sizes that a factory takes, and has not been given."""
    given = factory.keywords if isinstance(factory, functools.partial) else {}
    sizes = {"hidden_dim": training.hidden_dim, "num_layers": training.num_layers, "dropout": training.dropout}
    return {name: size for name, size in sizes.items() if name in parameters_of(factory) and name not in given}


def scorer(decoder: Decoder, table: Tensor) -> Scorer:
    """Returns a function that scores pairs ``[P, 2]`` of rows of a table ``[N, d]``, in blocks."""

    @torch.no_grad()
    def score(pairs: Tensor) -> Tensor:
        if not len(pairs):
            return table.new_zeros(0)
        blocks = [pairs[start : start + BLOCK] for start in range(0, len(pairs), BLOCK)]
        return torch.cat([_pair_scores(decoder, table, block) for block in blocks])

    return score


def _pair_scores(decoder: Decoder, table: Tensor, pairs: Tensor) -> Tensor:
    scores: Tensor = decoder(table.index_select(0, pairs[:, 0]), table.index_select(0, pairs[:, 1]))
    return scores


def _heuristic(graph: LinkGraph, name: str, seed: int, training: LinkTraining) -> LinkTeacher:
    seen = graph.training
    negative = seen.negatives(training.negatives, seed)[0]
    known = Heuristic.on(seen.adj, name, torch.cat([seen.train, negative]))
    slope, offset = logistic_map(known(seen.train), known(negative))
    hides = seen.num_nodes < graph.num_nodes
    answered = known.on_graph(graph.split.inference_adj) if hides else known
    return LinkTeacher(
        name, lambda pairs: slope * known(pairs) + offset, lambda pairs: slope * answered(pairs) + offset
    )
