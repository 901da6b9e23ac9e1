"""Link prediction: edges that are held out, and how well vectors tell them from pairs without an edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from graphkd.sparse import Adjacency

SHARE = 0.1
"""Of the undirected edges, held out."""

FITTED = 20_000
"""Edges that the logistic regression is fitted on at most, and as many pairs without one."""


@dataclass(frozen=True)
class Links:
    """A graph without the held-out edges; pairs are ``[n, 2]``."""

    adj: Adjacency
    positive: Tensor
    negative: Tensor
    train_positive: Tensor
    train_negative: Tensor


def held_out(edge_index: Tensor, count: int, seed: int) -> Links:
    """Holds out a tenth of the edges, and draws as many pairs without an edge."""
    low, high = edge_index.min(dim=0).values, edge_index.max(dim=0).values
    key = (low * count + high)[low != high].unique()
    generator = torch.Generator().manual_seed(seed)
    order = key[torch.randperm(key.numel(), generator=generator)]
    test, train = order.tensor_split([int(SHARE * order.numel())])
    edges = torch.stack([train // count, train % count])
    adj = Adjacency(torch.cat([edges, edges.flip(0)], dim=1), count)
    fitted = train[:FITTED]
    missing = _without_edge(key, count, test.numel() + fitted.numel(), generator)
    negative, train_negative = missing.tensor_split([test.numel()])
    return Links(adj, *(_pairs(each, count) for each in (test, negative, fitted, train_negative)))


def _without_edge(key: Tensor, count: int, wanted: int, generator: torch.Generator) -> Tensor:
    pairs = torch.randint(count, (2, 2 * wanted + 100), generator=generator)
    low, high = pairs.min(dim=0).values, pairs.max(dim=0).values
    drawn = (low * count + high)[low != high]
    return drawn[~torch.isin(drawn, key)][:wanted]


def _pairs(key: Tensor, count: int) -> Tensor:
    return torch.stack([key // count, key % count], dim=1)


def aucs(vectors: Tensor, links: Links) -> dict[str, float]:
    """The AUC of three scores: product, cosine, and logistic regression on the entrywise product (node2vec's)."""
    truth = np.repeat([1, 0], [len(links.positive), len(links.negative)])
    pairs = torch.cat([links.positive, links.negative])
    unit = F.normalize(vectors, dim=1)
    fitted = torch.cat([links.train_positive, links.train_negative])
    known = np.repeat([1, 0], [len(links.train_positive), len(links.train_negative)])
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(
        _product(vectors, fitted), known
    )
    return {
        "product": roc_auc_score(truth, _product(vectors, pairs).sum(axis=1)),
        "cosine": roc_auc_score(truth, _product(unit, pairs).sum(axis=1)),
        "logistic": roc_auc_score(truth, model.decision_function(_product(vectors, pairs))),
    }


def _product(vectors: Tensor, pairs: Tensor) -> np.ndarray:
    return (vectors[pairs[:, 0]].double() * vectors[pairs[:, 1]].double()).numpy()
