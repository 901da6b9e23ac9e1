"""DeepWalk and node2vec: skip-gram with negative sampling over random walks."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from graphkd.checks import is_count, is_real
from graphkd.errors import GraphKDError
from graphkd.positions.checkpoint import Checkpoint, State
from graphkd.positions.graph import Indices, Undirected, check_counts
from graphkd.positions.noise import Noise, visits
from graphkd.positions.skipgram import SkipGram
from graphkd.positions.threads import one_thread
from graphkd.positions.walks import Walker
from graphkd.sparse import Adjacency

SCHEME = 1
"""Counts up when the same settings give other vectors: checkpoints of another scheme are not continued."""

BLOCK = 2**19
"""Nodes of the walks that are drawn at once."""

BATCH = 2**11, 2**16
"""Least and most nodes of the walks in a step, see ``_batch``."""

SECONDS = 60.0
"""Time between two checkpoints."""

LAST = 1e-4
"""Of the learning rate: what its linear decay ends at, as in word2vec."""

LIMITS = (0.01, 100.0)
"""Of ``p`` and ``q``: rejections grow with the ratio of the largest and the smallest factor."""


@dataclass(frozen=True)
class Settings:
    """Arguments of ``deepwalk`` that determine the vectors.

    Raises:
        GraphKDError: one is out of its range.
    """

    dim: int
    walks: int
    length: int
    window: int
    negatives: int
    epochs: int
    lr: float
    p: float
    q: float
    seed: int

    def __post_init__(self) -> None:
        names = ("dim", "walks", "length", "window", "negatives", "epochs")
        check_counts(**{name: getattr(self, name) for name in names})
        if self.length < 2:
            raise GraphKDError("length of positions is 1, a walk without pairs: give a whole number from 2")
        if not is_real(self.lr) or not 0 < self.lr < math.inf:
            raise GraphKDError(f"lr of positions is {self.lr!r}: give a finite number above 0")
        for name in ("p", "q"):
            value = getattr(self, name)
            if not is_real(value) or not LIMITS[0] <= value <= LIMITS[1]:
                raise GraphKDError(f"{name} of positions is {value!r}: give a number from 0.01 to 100")
        if not is_count(self.seed):
            raise GraphKDError(f"seed of positions is {self.seed!r}: give a whole number from 0")


def deepwalk(
    adj: Adjacency,
    dim: int = 64,
    walks: int = 10,
    length: int = 40,
    window: int = 5,
    negatives: int = 5,
    epochs: int = 1,
    lr: float = 0.025,
    p: float = 1.0,
    q: float = 1.0,
    seed: int = 0,
    progress: bool = False,
    checkpoint: Path | None = None,
) -> Tensor:
    """Learns a vector per node from random walks; neighbours in walks get similar vectors.

    From every node that has an edge, ``epochs × walks`` walks start; ``SkipGram`` has the loss, ``Walker`` the
    transitions. The graph is undirected here (see ``graphkd.positions``), and edge weights are transition weights.
    Positions of different components are unrelated, and so are those of different seeds.

    Memory is O(N dim + E) and a block of half a million nodes of walks. Time is in proportion to the nodes of all
    walks, and per node grows with ``length``: prefer more walks to longer ones. One thread is used: steps are
    small and sequential. The same graph, settings and seed give the same bits on repeated runs and with any number
    of threads. On other processors or with another torch the last bits of a step may differ, as they depend on
    vector instructions, and so do the vectors then.

    Source: Perozzi et al., DeepWalk, KDD 2014; Grover & Leskovec, node2vec, KDD 2016

    Args:
        adj: the graph; only observed edges, where some are hidden.
        dim: ``d``, columns.
        walks: walks per node and epoch.
        length: nodes of a walk, from 2.
        window: largest distance of a pair in a walk.
        negatives: negative samples per pair.
        epochs: multiplies ``walks``: walks are not repeated.
        lr: learning rate at the start; it falls linearly to a ten-thousandth.
        p: node2vec's return parameter, 0.01 to 100; ``p = q = 1`` is DeepWalk.
        q: node2vec's in-out parameter, 0.01 to 100.
        seed: of starts, walks, negative samples and initial vectors.
        progress: whether to show a progress bar.
        checkpoint: file that is written every minute; a killed run with the same arguments continues from it, and
            ends with the same bits. With other arguments or another graph it starts from the beginning. It is
            deleted at the end.

    Returns:
        ``[N, dim]`` float32 on the CPU; zeros for nodes without edges.

    Raises:
        GraphKDError: a setting is out of its range, a weight is negative or not finite, the checkpoint cannot be
            used, or the vectors are no longer finite.

    >>> path = Adjacency(torch.tensor([[0, 1], [1, 2]]), num_nodes=4)
    >>> deepwalk(path, dim=8).shape
    torch.Size([4, 8])
    """
    settings = Settings(dim, walks, length, window, negatives, epochs, lr, p, q, seed)
    graph = Undirected.of(adj)
    identity = {**asdict(settings), "graph": graph.fingerprint(), "scheme": SCHEME}
    file = None if checkpoint is None else Checkpoint(checkpoint, identity)
    if not graph.linked.size:
        return torch.zeros(graph.num_nodes, dim)
    with one_thread():
        vectors = _train(graph, settings, progress, file)
    isolated = np.ones(graph.num_nodes, dtype=bool)
    isolated[graph.linked] = False
    vectors[torch.from_numpy(isolated)] = 0.0
    if not bool(vectors.isfinite().all()):
        raise GraphKDError(f"positions are no longer finite numbers: lower lr, which is {lr}")
    if file is not None:
        file.remove()
    return vectors


def _train(graph: Undirected, settings: Settings, progress: bool, file: Checkpoint | None) -> Tensor:
    state = (file.load() if file is not None else None) or _initial(graph.num_nodes, settings)
    model = SkipGram(state.vectors, state.contexts, settings.length, settings.window, settings.negatives)
    walker, noise = Walker(graph, settings.p, settings.q), Noise(visits(graph, settings.length))
    total, saved = settings.epochs * settings.walks * graph.linked.size, time.monotonic()
    with tqdm(total=total, desc="positions", unit=" walks", leave=False, disable=not progress) as bar:
        for number, (done, starts) in enumerate(_blocks(graph.linked, settings)):
            if number >= state.blocks:
                rng = np.random.default_rng([settings.seed, 1, number])
                _block(model, walker.walks(starts, settings.length, rng), noise, rng, done / total, settings)
                if file is not None and time.monotonic() - saved >= SECONDS:
                    file.save(State(model.vectors, model.contexts, number + 1))
                    saved = time.monotonic()
            bar.update(starts.size)
    return model.vectors


def _initial(count: int, settings: Settings) -> State:
    """Returns the state before the first block: word2vec's, vectors uniform in ± 1 / (2 d), contexts 0."""
    rng = np.random.default_rng([settings.seed, 0])
    vectors = rng.random((count, settings.dim), dtype=np.float32)
    vectors -= 0.5
    vectors /= settings.dim
    return State(torch.from_numpy(vectors), torch.zeros(count, settings.dim), 0)


def _blocks(linked: Indices, settings: Settings) -> Iterator[tuple[int, Indices]]:
    """Yields for each block how many walks come before it, and the starts of its own."""
    size = max(1, BLOCK // settings.length)
    for round_ in range(settings.epochs * settings.walks):
        order = np.random.default_rng([settings.seed, 2, round_]).permutation(linked)
        for start in range(0, order.size, size):
            yield round_ * order.size + start, order[start : start + size]


def _block(
    model: SkipGram, walks: Indices, noise: Noise, rng: np.random.Generator, done: float, settings: Settings
) -> None:
    """Trains on a block of walks ``[B, L]``; ``done`` is the share of walks before it."""
    negatives = noise.draw((len(walks), model.shared), rng)
    size = max(1, _batch(len(model.vectors)) // settings.length)
    share = len(walks) / (settings.epochs * settings.walks * noise.node.size)
    for start in range(0, len(walks), size):
        part = slice(start, start + size)
        lr = settings.lr * max(LAST, 1.0 - done - share * start / len(walks))
        model.step(torch.from_numpy(walks[part]), torch.from_numpy(negatives[part]), lr)


def _batch(count: int) -> int:
    """Returns how many nodes of walks a step reads: a tenth of the graph's, from 2,048 to 65,536, at most all.

    The share of rows that recur, over which ``SkipGram`` takes means, then hardly depends on the graph's size:
    with 2,048 for 169,343 nodes, AUC is up to 1 point less (``experiments/positions``).
    """
    least, most = BATCH
    return min(count, max(least, min(count // 10, most)))
