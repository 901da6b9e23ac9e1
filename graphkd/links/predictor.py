"""Scores of pairs and nearest nodes from node rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from graphkd.checks import is_whole, plain
from graphkd.datasets.preprocess import Preprocessing
from graphkd.deploy.names import Columns
from graphkd.environment import own_environment
from graphkd.errors import GraphKDError
from graphkd.links.nodes import NodeIds
from graphkd.links.pairs import check_pairs
from graphkd.links.student import LinkStudent
from graphkd.ranges import check_counts
from graphkd.sparse import Features, as_features, at_least_single, check_features

PAIRS = 2**13
"""Pairs that are scored in one step: both ends' embeddings stay in the processor's cache."""

ROWS = 2**14
"""Rows of the table that a step of the search scores, where the decoder has a hidden layer."""


@dataclass(frozen=True)
class LinkPredictor:
    """A trained student and the embeddings of a table of nodes, which are computed once; it reads no edge.

    Args:
        student: the network, in evaluation mode.
        preprocessing: of raw rows.
        table: ``[N, d]`` embeddings of the nodes that numbers refer to.
        card: the student's origin and its scores; for users.
        nodes: their ids.
        columns: of raw rows, by name.

    >>> from graphkd.links.student import LinkStudent
    >>> rows = torch.eye(5)
    >>> predictor = LinkPredictor.of(LinkStudent(5, embedding_dim=4), Preprocessing(), rows)
    >>> predictor.score([[0, 1], [4, 2]]).shape, predictor.score_rows(rows[:2], rows[3:]).shape
    (torch.Size([2]), torch.Size([2]))
    >>> scores, nodes = predictor.top_k(0, k=2)
    >>> bool((scores == predictor.score([[0, int(nodes[0])], [0, int(nodes[1])]])).all())
    True
    """

    student: LinkStudent
    preprocessing: Preprocessing
    table: Tensor
    card: dict[str, Any]
    nodes: NodeIds = field(default_factory=NodeIds)
    columns: Columns = field(default_factory=lambda: Columns(None))

    def __post_init__(self) -> None:
        if self.nodes.ids is None:
            object.__setattr__(self, "nodes", NodeIds(count=len(self.table)))

    @classmethod
    def of(
        cls,
        student: LinkStudent,
        preprocessing: Preprocessing,
        x: Any = None,
        card: dict[str, Any] | None = None,
    ) -> LinkPredictor:
        """Makes a predictor.

        Args:
            student: trained network.
            preprocessing: of raw rows.
            x: ``[N, D]`` raw rows of the nodes; without them the table is empty, see ``with_rows``.
            card: for users.
        """
        student.eval()
        empty = torch.zeros(0, student.decoder.dim)
        predictor = cls(student, preprocessing, empty, {} if card is None else card)
        return predictor if x is None else predictor.with_rows(x)

    @property
    def num_nodes(self) -> int:
        """Number of nodes ``N`` in the table."""
        return len(self.table)

    @property
    def num_features(self) -> int:
        """Number of features ``D`` of a raw row."""
        return self.student.sizes["num_features"]

    @own_environment()
    def embed(self, x: Any) -> Tensor:
        """Computes embeddings ``[B, d]`` of raw rows ``[B, D]``, dense or sparse; columns of a frame by name.

        Raises:
            GraphKDError: they are no rows of the student's width or columns, or hold NaN or infinite values.
        """
        aligned = self.columns.align(x)
        rows: Features = at_least_single(check_features(as_features(aligned), self.num_features)).to(torch.float32)
        with torch.no_grad():
            return self.student.embed(self.preprocessing(rows)).contiguous()

    def with_rows(self, x: Any, ids: Any = None) -> LinkPredictor:
        """Returns the predictor of other nodes, whose raw rows are ``x [N, D]``.

        Args:
            x: their rows.
            ids: ``[N]`` of the nodes, by default their row numbers.
        """
        table = self.embed(x)
        return replace(self, table=table, nodes=NodeIds.of(ids, len(table)))

    @own_environment()
    def score(self, pairs: Any) -> Tensor:
        """Scores pairs of nodes of the table.

        Args:
            pairs: ``[P, 2]`` whole numbers in ``[0, N)``.

        Returns:
            ``[P]`` logits: their sigmoid estimates the probability of an edge, where edges and pairs without one
            are as many, as in training.

        Raises:
            GraphKDError: they are no such pairs.
        """
        ends, scores = check_pairs(pairs, self.num_nodes), torch.empty(len(pairs))
        with torch.no_grad():
            for start in range(0, len(ends), PAIRS):
                left, right = ends[start : start + PAIRS].t()
                part = self.student.decoder(self.table.index_select(0, left), self.table.index_select(0, right))
                scores[start : start + PAIRS] = part
        return scores

    @own_environment()
    def score_rows(self, u: Any, v: Any) -> Tensor:
        """Scores pairs of nodes that need not be in the table.

        Args:
            u: ``[B, D]`` raw rows of the first nodes.
            v: ``[B, D]`` of the second.

        Returns:
            ``[B]`` logits.

        Raises:
            GraphKDError: they are not as many rows, or not of the student's width.
        """
        first, second = self.embed(u), self.embed(v)
        if len(first) != len(second):
            raise GraphKDError(
                f"u has {len(first)} rows, but v has {len(second)}: give one row of each for every pair"
            )
        with torch.no_grad():
            scores: Tensor = self.student.decoder(first, second)
        return scores

    @own_environment()
    def top_k(self, node: Any, k: int = 10, exclude: Any = ()) -> tuple[Tensor, Tensor]:
        """Finds the nodes of the table with the highest scores, exactly: every node is scored.

        With ``dot`` and ``bilinear`` that is one product ``[N, d] · [d]``; with ``hadamard`` blocks of rows pass
        through its hidden layer.

        Args:
            node: its number in ``[0, N)``, which is itself excluded; or the raw row ``[D]`` of any node.
            k: nodes to find, at most ``N`` less those that are excluded.
            exclude: numbers of nodes that are not to be found, such as known neighbours.

        Returns:
            Scores ``[k]``, descending, and numbers of the nodes ``[k]``.

        Raises:
            GraphKDError: there is no such node, or ``k`` is out of its range.
        """
        query, out = self.query(node, exclude)
        check_counts("links", 1, max(self.num_nodes - len(out), 1), k=k)
        with torch.no_grad():
            scores = self._against(query)
        scores[out] = -torch.inf
        best = scores.topk(k)
        return best.values, best.indices

    def query(self, node: Any, exclude: Any = ()) -> tuple[Tensor, Tensor]:
        """Returns the embedding ``[d]`` of a node, and the numbers of nodes that are not to be found for it.

        Args:
            node: its number in ``[0, N)``, or the raw row ``[D]`` of any node.
            exclude: numbers of nodes; one that is given by its number is excluded for itself.

        Raises:
            GraphKDError: there is no such node.
        """
        out = _numbers(exclude, self.num_nodes)
        if is_whole(plain(node)):
            own = _numbers([node], self.num_nodes, "node")
            return self.table[int(own)], torch.unique(torch.cat([out, own]))
        rows = self.embed(_one_row(node))
        if len(rows) != 1:
            raise GraphKDError(f"node must be one number or one row, but is {len(rows)} rows: ask for each")
        return rows[0], out

    @own_environment()
    def top_k_each(self, nodes: Any, k: int, exclude: Sequence[Any]) -> tuple[Tensor, Tensor]:
        """Finds the nodes with the highest scores for several nodes at once; see ``top_k``.

        Args:
            nodes: ``[B]`` numbers; each is excluded for itself.
            k: nodes to find for each.
            exclude: of each, numbers of nodes that are not to be found.

        Returns:
            Scores ``[B, k]``, −inf where a node has no ``k`` others, and numbers ``[B, k]``.

        Raises:
            GraphKDError: there is no such node, or ``k`` is out of its range.
        """
        own = _numbers(nodes, self.num_nodes, "nodes")
        check_counts("links", 1, self.num_nodes, k=k)
        out = [torch.cat([_numbers(each, self.num_nodes), own[at : at + 1]]) for at, each in enumerate(exclude)]
        rows = torch.repeat_interleave(torch.arange(len(own)), torch.tensor([len(each) for each in out]))
        with torch.no_grad():
            scores = self._against_each(self.table[own])
        scores[rows, torch.cat(out)] = -torch.inf
        best = scores.topk(k, dim=1)
        return best.values, best.indices

    def _against_each(self, queries: Tensor) -> Tensor:
        """Scores embeddings ``[B, d]`` against every row of the table → ``[B, N]``."""
        linear = self.student.decoder.search(queries)
        if linear is None:
            return torch.stack([self._against(query) for query in queries])
        return linear[0] @ self.table.t() + linear[1]

    def _against(self, query: Tensor) -> Tensor:
        """Scores an embedding ``[d]`` against every row of the table → ``[N]``."""
        decoder = self.student.decoder
        linear = decoder.search(query)
        if linear is not None:
            return torch.mv(self.table, linear[0]) + linear[1]
        blocks = [self.table[start : start + ROWS] for start in range(0, self.num_nodes, ROWS)]
        return torch.cat([decoder(query, block) for block in blocks])


def _one_row(row: Any) -> Any:
    """Returns a row ``[D]`` as ``[1, D]``."""
    if hasattr(row, "tocsr"):
        return row
    features = as_features(row)
    return features.unsqueeze(0) if isinstance(features, Tensor) and features.dim() == 1 else features


def _numbers(nodes: Any, num_nodes: int, name: str = "exclude") -> Tensor:
    """Checks numbers of nodes, and returns them as ``[m]``."""
    given = torch.as_tensor(nodes).reshape(-1)
    given = given.long() if not given.numel() else given
    return check_pairs(torch.stack([given, given], dim=1), num_nodes, name)[:, 0]
