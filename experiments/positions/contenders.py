"""What makes vectors: graphkd's positions, and other ways to train the same skip-gram."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from unittest.mock import patch

import numpy as np
import torch
import torch.nn.functional as F
from scipy import sparse
from torch import Tensor

from graphkd.positions import _deepwalk, deepwalk, laplacian, random_walk
from graphkd.positions.graph import Undirected
from graphkd.positions.noise import visits
from graphkd.positions.skipgram import SkipGram
from graphkd.positions.threads import one_thread
from graphkd.positions.walks import Walker
from graphkd.sparse import Adjacency

DIM, WALKS, LENGTH, WINDOW, NEGATIVES, LR = 64, 10, 40, 5, 5, 0.025


class Summed(SkipGram):
    """graphkd's step, but rows move by the sum of their occurrences' gradients, as in word2vec."""

    def _move(self, table: Tensor, nodes: Tensor, gradient: Tensor, lr: float) -> None:
        table.index_add_(0, nodes.reshape(-1), gradient.view(nodes.numel(), -1).mul_(lr))


class Numpy(SkipGram):
    """graphkd's step with numpy's products, and scipy's for the sum over occurrences."""

    def step(self, walks: Tensor, negatives: Tensor, lr: float) -> None:
        both = torch.cat([walks, negatives], dim=1).numpy()
        x, y = self.vectors.numpy()[walks.numpy()], self.contexts.numpy()[both]
        product = np.matmul(x, y.transpose(0, 2, 1))
        gain = self._target.numpy() - self._weight.numpy() / (1.0 + np.exp(-product))
        self._add(self.vectors.numpy(), walks.numpy(), np.matmul(gain, y), lr)
        self._add(self.contexts.numpy(), both, np.matmul(gain.transpose(0, 2, 1), x), lr)

    def _add(self, table: np.ndarray, nodes: np.ndarray, gradient: np.ndarray, lr: float) -> None:
        node, place, count = np.unique(nodes, return_inverse=True, return_counts=True)
        size = nodes.size
        rows = sparse.csr_array((np.ones(size, np.float32), place.reshape(-1), np.arange(size + 1)))
        table[node] += (rows.T @ gradient.reshape(size, -1)) * np.float32(lr) / count[:, None].astype(np.float32)


class Pairs(Summed):
    """Plain minibatches: every pair of a window drawn from 1 … w has negative samples of its own."""

    def __init__(self, vectors: Tensor, contexts: Tensor, length: int, window: int, negatives: int) -> None:
        super().__init__(vectors, contexts, length, window, negatives)
        self.window, self.negatives, self.shared = window, negatives, (window + 1) * length * negatives
        self.generator = torch.Generator().manual_seed(0)

    def step(self, walks: Tensor, negatives: Tensor, lr: float) -> None:
        position = torch.arange(walks.shape[1])
        distance = (position.unsqueeze(0) - position.unsqueeze(1)).abs()
        reach = torch.randint(1, self.window + 1, (*walks.shape, 1), generator=self.generator)
        walk, i, j = ((distance > 0) & (distance <= reach)).nonzero().unbind(1)
        drawn = negatives.reshape(-1, self.negatives)
        drawn = drawn[torch.arange(walk.numel()) % len(drawn)]
        centre, others = walks[walk, i], torch.cat([walks[walk, j].unsqueeze(1), drawn], dim=1)
        x, y = F.embedding(centre, self.vectors), F.embedding(others, self.contexts)
        gain = torch.einsum("pd,pkd->pk", x, y).sigmoid_().neg_()
        gain[:, 0] += 1.0
        self._move(self.vectors, centre, torch.einsum("pk,pkd->pd", gain, y), lr)
        self._move(self.contexts, others, gain.unsqueeze(2) * x.unsqueeze(1), lr)


def _by(model: type[SkipGram]) -> Callable[[Adjacency, int], Tensor]:
    def run(adj: Adjacency, seed: int) -> Tensor:
        with patch.object(_deepwalk, "SkipGram", model):
            return deepwalk(adj, seed=seed)

    return run


class Corpus:
    """graphkd's walks as gensim reads them: lists of keys, a block of walks at a time."""

    def __init__(self, graph: Undirected, seed: int) -> None:
        self.graph, self.seed, self.walker = graph, seed, Walker(graph)

    def __iter__(self) -> Iterator[list[int]]:
        rng = np.random.default_rng(self.seed)
        for _ in range(WALKS):
            for starts in np.split(rng.permutation(self.graph.linked), range(8192, self.graph.linked.size, 8192)):
                yield from self.walker.walks(starts, LENGTH, rng).tolist()


def gensim(adj: Adjacency, seed: int, workers: int) -> Tensor:
    from gensim.models import Word2Vec

    graph = Undirected.of(adj)
    model = Word2Vec(
        vector_size=DIM, window=WINDOW, min_count=0, sg=1, hs=0, negative=NEGATIVES, workers=workers, sample=0,
        alpha=LR, seed=seed + 1,
    )  # fmt: skip
    expected = WALKS * visits(graph, LENGTH)
    # Frequencies are given, which spares a second pass over all walks.
    model.build_vocab_from_freq({int(node): max(1, round(expected[node])) for node in graph.linked})
    model.train(Corpus(graph, seed), total_examples=WALKS * graph.linked.size, epochs=1)
    vectors = torch.zeros(graph.num_nodes, DIM)
    vectors[torch.tensor(model.wv.index_to_key)] = torch.from_numpy(model.wv.vectors.copy())
    return vectors


def _one(run: Callable[[Adjacency, int], Tensor]) -> Callable[[Adjacency, int], Tensor]:
    def with_one_thread(adj: Adjacency, seed: int) -> Tensor:
        with one_thread():
            return run(adj, seed)

    return with_one_thread


CONTENDERS: dict[str, Callable[[Adjacency, int], Tensor]] = {
    "deepwalk": lambda adj, seed: deepwalk(adj, seed=seed),
    "node2vec p=0.25 q=4": lambda adj, seed: deepwalk(adj, p=0.25, q=4.0, seed=seed),
    "node2vec p=4 q=0.25": lambda adj, seed: deepwalk(adj, p=4.0, q=0.25, seed=seed),
    "laplacian": lambda adj, seed: laplacian(adj, seed=seed),
    "random_walk": lambda adj, seed: random_walk(adj),
    "gensim, 1 worker": _one(lambda adj, seed: gensim(adj, seed, 1)),
    "gensim, 2 workers": _one(lambda adj, seed: gensim(adj, seed, 2)),
    "torch, sums": _by(Summed),
    "torch, pairs": _by(Pairs),
    "numpy": _by(Numpy),
}
"""Name → function of the graph and a seed. The last three train graphkd's walks in another way."""
