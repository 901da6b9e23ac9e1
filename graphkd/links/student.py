"""Students of links: an MLP from a node's row to its embedding, and a decoder of pairs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from graphkd.links.contexts import Contexts, draw_contexts
from graphkd.links.decoders import make_decoder
from graphkd.links.fit import LinkFit, fit
from graphkd.links.graph import LinkGraph, TrainingGraph
from graphkd.links.llp import LLP
from graphkd.links.methods import LinkBatch, LinkMethod
from graphkd.links.metrics import auc
from graphkd.links.settings import LinkTraining
from graphkd.links.teacher import LinkTeacher, scorer
from graphkd.sparse import Features, select_rows
from graphkd.students import MLP
from graphkd.training.seeds import generator, seeded


class LinkStudent(nn.Module):
    """An MLP and a decoder; it reads no edge.

    Args:
        num_features: ``D``.
        hidden_dim: width of the hidden layers.
        embedding_dim: ``d``.
        num_layers: linear layers.
        dropout: probability, after each activation.
        decoder: ``dot``, ``hadamard`` or ``bilinear``.

    Raises:
        GraphKDError: an invalid size, or an unknown decoder.

    >>> student = LinkStudent(num_features=8, embedding_dim=4).eval()
    >>> student.embed(torch.zeros(5, 8)).shape
    torch.Size([5, 4])
    """

    def __init__(
        self,
        num_features: int,
        hidden_dim: int = 256,
        embedding_dim: int = 64,
        num_layers: int = 2,
        dropout: float = 0.5,
        decoder: str = "dot",
    ) -> None:
        super().__init__()
        self.sizes = {
            "num_features": num_features,
            "hidden_dim": hidden_dim,
            "embedding_dim": embedding_dim,
            "num_layers": num_layers,
        }
        self.encoder = MLP(num_features, hidden_dim, embedding_dim, num_layers, dropout)
        self.decoder = make_decoder(decoder, embedding_dim)

    def embed(self, x: Features) -> Tensor:
        """Computes rows ``[B, D]`` → embeddings ``[B, d]``."""
        embeddings: Tensor = self.encoder(x).logits
        return embeddings


@dataclass(frozen=True)
class Signal:
    """What a student learns from, computed once: pairs with labels, and a frozen teacher's scores of them.

    Args:
        positive: ``[P, 2]`` training edges.
        negative: ``[R, P, 2]`` pairs without one.
        positive_target: ``[P]`` the teacher's logits, or None where the method reads none; so of the others.
        negative_target: ``[R, P]``.
        contexts: of the anchors.
        context_target: ``[A, S]``.
    """

    positive: Tensor
    negative: Tensor
    positive_target: Tensor | None = None
    negative_target: Tensor | None = None
    contexts: Contexts | None = None
    context_target: Tensor | None = None


def make_signal(
    graph: TrainingGraph, teacher: LinkTeacher | None, method: LinkMethod, negatives: int, seed: int
) -> Signal:
    """Draws what a method reads, and has the teacher score it.

    Args:
        graph: that training reads.
        teacher: read where the method reads one.
        method: of the student.
        negatives: ``R``.
        seed: of the draws.
    """
    negative = graph.negatives(negatives, seed)
    if teacher is None or not method.reads_teacher:
        return Signal(graph.train, negative)
    if isinstance(method, LLP):
        contexts = draw_contexts(graph.adj, method.walks, method.length, method.uniform, seed)
        target = teacher.training(contexts.pairs()).reshape(contexts.nodes.shape)
        return Signal(graph.train, negative, contexts=contexts, context_target=target)
    told = teacher.training(negative.reshape(-1, 2)).reshape(negative.shape[:2])
    return Signal(graph.train, negative, teacher.training(graph.train), told)


def train_student(
    graph: LinkGraph,
    teacher: LinkTeacher | None,
    method: LinkMethod,
    decoder: str = "dot",
    seed: int = 0,
    training: LinkTraining | None = None,
) -> tuple[LinkStudent, LinkFit]:
    """Trains a student on rows alone.

    Args:
        graph: with its split.
        teacher: frozen; not read by the method ``mlp``.
        method: its loss.
        decoder: of the student.
        seed: of weights, dropout, negatives, contexts and the order of batches.
        training: settings.

    Returns:
        The student with the weights of its best epoch, and the facts of its training.

    Raises:
        GraphKDError: an invalid setting, or the loss diverges.

    >>> from graphkd import load_dataset
    >>> from graphkd.links.methods import Labels
    >>> graph = LinkGraph.from_data(load_dataset("digits"))
    >>> quick = LinkTraining(max_epochs=2, hidden_dim=16, embedding_dim=8)
    >>> student, facts = train_student(graph, None, Labels(), training=quick)
    >>> student.embed(graph.x).shape, facts.epochs
    (torch.Size([1797, 8]), 2)
    """
    training = LinkTraining() if training is None else training
    seen = graph.training
    signal = make_signal(seen, teacher, method, training.negatives, seed)
    draws = generator(seed, "links", "batches", device=torch.device("cpu"))
    with seeded(seed, "links-student", torch.device("cpu")):
        student = LinkStudent(
            seen.x.shape[1],
            training.hidden_dim,
            training.embedding_dim,
            training.num_layers,
            training.dropout,
            decoder,
        )

        def losses(epoch: int) -> list[Callable[[], Tensor]]:
            parts = _parts(len(seen.train), training.batch_size, draws)
            step = functools.partial(_loss, student, seen.x, signal, method, epoch, draws)
            return [functools.partial(step, part) for part in parts]

        def validate() -> float:
            score = scorer(student.decoder, student.embed(seen.x))
            return auc(score(seen.val), score(seen.val_negative))

        facts = fit(student, losses, validate, training)
    return student, facts


def _parts(count: int, size: int | None, draws: torch.Generator) -> tuple[Tensor, ...]:
    """Returns the edges of each step of an epoch: all of them, or a redrawn partition."""
    if size is None or size >= count:
        return (torch.arange(count),)
    return torch.randperm(count, generator=draws).tensor_split(-(-count // size))


def _loss(
    student: LinkStudent,
    x: Features,
    signal: Signal,
    method: LinkMethod,
    epoch: int,
    draws: torch.Generator,
    part: Tensor,
) -> Tensor:
    """Computes the loss of one step: the edges ``part`` and as many pairs without one."""
    turn = epoch % len(signal.negative)
    pairs = torch.cat([signal.positive[part], signal.negative[turn, part]])
    turns = _anchors(signal, method, draws)
    rows = _Rows(student, x, whole=len(part) == len(signal.positive))
    labels = torch.cat([torch.ones(len(part)), torch.zeros(len(part))])
    if turns is None:
        table, (ends,) = rows.of(pairs)
        target = None
        if signal.positive_target is not None and signal.negative_target is not None:
            target = torch.cat([signal.positive_target[part], signal.negative_target[turn, part]])
        return method.loss(LinkBatch(_decoded(student, table, ends), labels, target))["loss"]
    assert signal.contexts is not None
    assert signal.context_target is not None
    anchors, nodes = signal.contexts.anchors[turns], signal.contexts.nodes[turns]
    table, (ends, own, near) = rows.of(pairs, anchors, nodes)
    around = table.index_select(0, near.reshape(-1)).reshape(*near.shape, -1)
    context = student.decoder(table.index_select(0, own).unsqueeze(1), around)
    batch = LinkBatch(
        _decoded(student, table, ends),
        labels,
        context_scores=context,
        context_targets=signal.context_target[turns],
    )
    return method.loss(batch)["loss"]


def _anchors(signal: Signal, method: LinkMethod, draws: torch.Generator) -> Tensor | None:
    """Returns the numbers of the anchors of one step, or None where no context is read."""
    if signal.contexts is None or not isinstance(method, LLP):
        return None
    count = len(signal.contexts.anchors)
    return torch.randperm(count, generator=draws)[: method.anchors]


def _decoded(student: LinkStudent, table: Tensor, ends: Tensor) -> Tensor:
    # The gradient of index_select is twice as fast as that of table[…].
    scores: Tensor = student.decoder(table.index_select(0, ends[:, 0]), table.index_select(0, ends[:, 1]))
    return scores


@dataclass(frozen=True)
class _Rows:
    """Embeds the rows of a step: all where the step has all edges, else each needed one once."""

    student: LinkStudent
    x: Features
    whole: bool

    def of(self, *nodes: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Returns embeddings, and for each tensor of nodes where theirs stand."""
        if self.whole:
            return self.student.embed(self.x), nodes
        needed, place = torch.unique(torch.cat([part.reshape(-1) for part in nodes]), return_inverse=True)
        places = place.split([part.numel() for part in nodes])
        table = self.student.embed(select_rows(self.x, needed))
        return table, tuple(at.reshape(part.shape) for at, part in zip(places, nodes, strict=True))
