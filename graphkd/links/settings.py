"""Settings of the networks of link prediction and of their optimisation."""

from __future__ import annotations

from dataclasses import dataclass

from graphkd.ranges import check_above_zero, check_counts, check_shares, check_sizes


@dataclass(frozen=True)
class LinkTraining:
    """Sizes of a network, and how it is optimised by Adam.

    Args:
        max_epochs: of the network.
        patience: epochs without a validation AUC at least as good as the best before training stops, which it does
            after 100 epochs at the earliest.
        lr: learning rate.
        weight_decay: L2 in Adam.
        hidden_dim: width of the hidden layers.
        embedding_dim: ``d``, width of an embedding.
        num_layers: hops of the teacher, linear layers of the student.
        dropout: probability, after each activation.
        negatives: ``R``, sets of negatives that are drawn once; epoch ``e`` trains on set ``e mod R``.
        batch_size: training edges of a step of the student; by default all of them.

    Raises:
        GraphKDError: a setting is out of its range.

    >>> LinkTraining(lr=0)
    Traceback (most recent call last):
        ...
    graphkd.errors.GraphKDError: training.lr is 0: it must be a number above 0, 1e+06 at most
    """

    max_epochs: int = 500
    patience: int = 100
    lr: float = 0.02
    weight_decay: float = 0.0
    hidden_dim: int = 256
    embedding_dim: int = 64
    num_layers: int = 2
    dropout: float = 0.5
    negatives: int = 20
    batch_size: int | None = None

    def __post_init__(self) -> None:
        counts = ("max_epochs", "patience", "hidden_dim", "embedding_dim", "num_layers", "negatives")
        check_counts("training", 1, **{name: getattr(self, name) for name in counts})
        if self.batch_size is not None:
            check_counts("training", 1, batch_size=self.batch_size)
        check_above_zero("training", lr=self.lr)
        check_sizes("training", weight_decay=self.weight_decay)
        check_shares("training", dropout=self.dropout)
