"""Graphs that are odd but legal, and parts that cannot be right."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.data import Data

from graphkd import Training, students
from graphkd.datasets import Preprocessing
from graphkd.matching import AllToOne, Forward, Random, Reverse
from graphkd.methods import GLNN, MLP, InfGraND
from graphkd.teachers import GAT, GCN, SAGE

NODES, CLASSES = 24, 3
NO_EDGES = torch.zeros(2, 0, dtype=torch.long)
EVERYONE = torch.arange(NODES)
NAN = float("nan")


def features() -> Tensor:
    """``[24, 4]``, with something to learn from."""
    torch.manual_seed(0)
    return torch.randn(NODES, 4) + (EVERYONE % CLASSES).unsqueeze(1)


def graph(edges: Tensor | None = None, classes: int = CLASSES, **parts: Any) -> Data:
    """24 nodes with random edges; every part may be replaced."""
    torch.manual_seed(1)
    ends = torch.randint(NODES, (2, 48))
    part = EVERYONE // classes % 3
    data = Data(
        x=features(),
        edge_index=torch.cat([ends, ends.flip(0)], dim=1) if edges is None else edges,
        y=EVERYONE % classes,
        train_mask=part == 0,
        val_mask=part == 1,
        test_mask=part == 2,
    )
    for name, value in parts.items():
        data[name] = value
    return data


def masked(data: Data, *parts: Any) -> Data:
    """The same graph with these training, validation and test nodes; all others are in none."""
    for name, nodes in zip(("train_mask", "val_mask", "test_mask"), parts, strict=True):
        data[name] = torch.isin(torch.arange(data.num_nodes), torch.as_tensor(list(nodes)))
    return data


def weighted(weight: float | Tensor, **parts: Any) -> Data:
    """The graph with edge weights, all alike or ``[96]``."""
    return graph(edge_weight=torch.full((96,), weight) if isinstance(weight, float) else weight, **parts)


def unlabelled(value: float, dtype: torch.dtype) -> Data:
    """A third of the nodes is in no mask, and their label is unknown."""
    data = masked(graph(), range(8), range(8, 11), range(11, 16))
    data.y = data.y.to(dtype)
    data.y[16:] = value
    return data


def three_nodes() -> Data:
    """One node each, all of one class, and no edge."""
    return Data(
        x=torch.ones(3, 1),
        edge_index=NO_EDGES,
        y=torch.zeros(3, dtype=torch.long),
        **{f"{part}_mask": torch.arange(3) == node for node, part in enumerate(("train", "val", "test"))},
    )


def star() -> Tensor:
    """Node 0 to and from all others."""
    rays = torch.stack([torch.zeros(NODES - 1, dtype=torch.long), EVERYONE[1:]])
    return torch.cat([rays, rays.flip(0)], dim=1)


def zero_rows() -> Tensor:
    """Every third row holds zeros only."""
    return features() * (EVERYONE % 3 > 0).unsqueeze(1)


COMPLETE = torch.cartesian_prod(EVERYONE, EVERYONE).t()
SPARSE = features().clamp(min=0)

ODD: dict[str, Callable[[], Data]] = {
    "three nodes": three_nodes,
    "one training node": lambda: masked(graph(), [0], [1, 2], range(3, 12)),
    "two test nodes": lambda: masked(graph(), range(8), range(8, 16), [16, 17]),
    "one class": lambda: graph(classes=1),
    "two classes, ranked": lambda: masked(graph(classes=2, metric="roc_auc"), [0, 1], [2, 3], range(4, NODES)),
    "a class without a training node": lambda: masked(graph(), [0, 1, 3, 4], [2, 5], range(6, 12)),
    "named classes that nobody has": lambda: graph(class_names=["a", "b", "c", "d", "e"]),
    "two classes of one name": lambda: graph(class_names=["a", "a", "b"]),
    "no edges": lambda: graph(NO_EDGES),
    "self-loops only": lambda: graph(EVERYONE.repeat(2, 1)),
    "an edge a million times": lambda: graph(torch.tensor([[0], [1]]).repeat(1, 10**6)),
    "a complete graph": lambda: graph(COMPLETE),
    "a star": lambda: graph(star()),
    "pairs": lambda: graph(torch.cat([EVERYONE.view(12, 2).t(), EVERYONE.view(12, 2).t().flip(0)], dim=1)),
    "a directed chain": lambda: graph(torch.stack([EVERYONE[:-1], EVERYONE[1:]])),
    "edges of test nodes only": lambda: graph(torch.tensor([[6, 7, 8, 15], [7, 8, 15, 16]])),
    "edges in bytes": lambda: graph(COMPLETE[:, ::5].byte()),
    "weights of zero": lambda: weighted(0.0),
    "some weights of zero": lambda: weighted(torch.arange(96).remainder(2).float()),
    "weights in float64 with a gradient": lambda: weighted(torch.rand(96).double().requires_grad_()),
    "tiny weights": lambda: weighted(1e-30),
    "float64": lambda: graph(x=features().double()),
    "half precision": lambda: graph(x=features().half()),
    "whole numbers": lambda: graph(x=(3 * features()).long()),
    "truth values": lambda: graph(x=features() > 0),
    "sparse": lambda: graph(x=SPARSE.to_sparse_csr()),
    "sparse float64": lambda: graph(x=SPARSE.double().to_sparse_csr()),
    "sparse without an entry": lambda: graph(x=torch.zeros(NODES, 4).to_sparse_csr()),
    "features with a gradient": lambda: graph(x=features().requires_grad_()),
    "transposed memory": lambda: graph(COMPLETE.t().contiguous().t()[:, ::3], x=features().t().contiguous().t()),
    "rows of zeros": lambda: graph(x=zero_rows()),
    "nothing but zeros": lambda: graph(x=torch.zeros(NODES, 4)),
    "the same row everywhere": lambda: graph(x=torch.ones(NODES, 4)),
    "one column": lambda: graph(x=features()[:, :1]),
    "huge features": lambda: graph(x=1e10 * features()),
    "tiny features": lambda: graph(x=1e-30 * features()),
    "unknown labels are -1": lambda: unlabelled(-1, torch.long),
    "unknown labels are NaN": lambda: unlabelled(NAN, torch.float64),
    "labels beyond the classes outside the masks": lambda: unlabelled(99, torch.long),
    "labels in 32 bits": lambda: graph(y=(EVERYONE % CLASSES).int()),
    "labels in bytes, in a column": lambda: graph(y=(EVERYONE % CLASSES).byte().unsqueeze(1)),
    "labels as truth values": lambda: graph(classes=2, y=EVERYONE % 2 > 0),
}

SMALL = partial(students.MLP, hidden_dim=8)
SPECS: list[dict[str, Any]] = [
    {"teacher": partial(GCN, hidden_dim=8), "method": GLNN(), "student": SMALL},
    {
        "teacher": partial(GAT, hidden_dim=8, norm="batch"),
        "method": MLP(),
        "student": partial(SMALL, norm="batch"),
    },
    {
        "teacher": partial(SAGE, hidden_dim=8, num_layers=3, aggregator="mean", residual=True),
        "method": InfGraND(),
        "matching": Random(distance="cosine"),
        "student": partial(SMALL, num_layers=5),
        "preprocessing": Preprocessing("binary"),
    },
    {
        "teacher": partial(GCN, num_layers=1),
        "method": InfGraND(hops=10, pooling="max"),
        "student": partial(students.MLP, num_layers=1),
        "preprocessing": Preprocessing(row_normalize=True),
    },
    {
        "teacher": partial(GAT, hidden_dim=8, norm="layer"),
        "method": InfGraND(hops=0, kl="reverse", lam=0.5),
        "matching": AllToOne(),
        "student": SMALL,
    },
    {
        "teacher": partial(SAGE, hidden_dim=8),
        "method": GLNN(lam=0.5, tau=3.0),
        "matching": Reverse(distance="mse", weight=0.0),
        "student": partial(SMALL, norm="batch"),
        "preprocessing": Preprocessing("binary", row_normalize=True),
    },
    {
        "teacher": partial(GCN, hidden_dim=8),
        "method": InfGraND(gamma1=0.0, pooling="concat"),
        "matching": Forward(),
        "student": SMALL,
    },
]
"""Every method, with matchings, preprocessing, norms and depths of all kinds; graphs and settings take turns."""

SHORT = Training(max_epochs=2, patience=2)


class Net(nn.Module):
    """A user's own fitted network, which does as it is told."""

    def __init__(self, answer: Callable[[Net, Tensor, Tensor], Any]) -> None:
        super().__init__()
        self.answer, self.linear, self.frozen = answer, nn.Linear(4, CLASSES), nn.Dropout()
        self.frozen.eval()

    def forward(self, x: Tensor, edge_index: Tensor) -> Any:
        """What ``answer`` says."""
        return self.answer(self, x, edge_index)


def failing(*_: Any, **__: Any) -> Any:
    """A user's own function with a fault of its own."""
    raise ZeroDivisionError("division by zero\nin two lines")
