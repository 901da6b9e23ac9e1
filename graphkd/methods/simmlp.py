"""SimMLP: an encoder that learns to predict its own neighbourhood, then a linear probe; no teacher."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch.nn.functional as F
from torch import Tensor, nn

from graphkd.errors import GraphKDError
from graphkd.methods.base import Method, Student
from graphkd.methods.epoch import Phase
from graphkd.methods.masking import aggregation, masked, reconstruction_error
from graphkd.methods.ranges import check_above_zero, check_counts, check_shares, check_sizes
from graphkd.methods.targets import Targets, mean_over
from graphkd.sparse import Factored, spmm
from graphkd.students.mlp import MLP

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphkd.datasets import Graph
    from graphkd.teachers import TeacherOutput


class SimMLP(Method):
    """First ``mean_v (1 − cos(P(z_v), sg(h_v)))^eta + reconstruction · mean (D(h) − x)²``, then a probe on labels.

    ``z`` is the last hidden layer of the student, ``h = Â'^hops z`` its aggregate over the graph, ``P`` a
    predictor, ``D`` a linear decoder, ``sg`` no gradient. ``Â'`` is ``D^-1/2 (A' + I) D^-1/2`` of the graph ``A'``
    without a share ``edge_mask`` of the edges, and the student's rows lack a share ``feature_mask`` of their
    entries; both are drawn anew in every step. The epoch of the smallest loss is kept, of all ``pretrain_epochs``:
    that loss is too noisy for patience. Then the student's last layer alone is trained on labels, its encoder in
    evaluation mode, and the epoch of the best validation score is kept: a plain MLP is shipped.

    Of the released code, left out are its residuals, the batch norm between hops, the scaling of ``z`` to length 1
    and the cosine schedule. A step costs ``hops`` sparse products ``|A| h`` and the decoder's ``(N + D) h²``,
    of dense features ``N h D``.

    Source: Wang et al., Training MLPs on Graphs without Supervision (SimMLP), WSDM 2025

    Args:
        eta: exponent of the cosine distance.
        hops: of the aggregate.
        feature_mask: share of the features' entries that is zero in a step, in [0, 1).
        edge_mask: share of the edges that is left out in a step, in [0, 1).
        reconstruction: weight of the decoder's term; 0 leaves it out.
        pretrain_epochs: of the first phase; the probe takes ``training.max_epochs``.
        probe_lr: learning rate of the probe; by default ``training.lr``, which is the encoder's.
    """

    name = "simmlp"
    has_teacher = False

    def __init__(
        self,
        eta: float = 1.0,
        hops: int = 2,
        feature_mask: float = 0.25,
        edge_mask: float = 0.25,
        reconstruction: float = 0.0,
        pretrain_epochs: int = 500,
        probe_lr: float | None = None,
    ) -> None:
        super().__init__(lam=1.0, tau=1.0)
        check_shares(feature_mask=feature_mask, edge_mask=edge_mask)
        check_counts(1, hops=hops, pretrain_epochs=pretrain_epochs)
        check_sizes(eta=eta, reconstruction=reconstruction)
        if probe_lr is not None:
            check_above_zero(1e30, probe_lr=probe_lr)
        self.eta, self.hops, self.reconstruction = eta, int(hops), reconstruction
        self.feature_mask, self.edge_mask, self.pretrain_epochs = feature_mask, edge_mask, int(pretrain_epochs)
        self.probe_lr = probe_lr

    def prepare(self, graph: Graph, teacher: TeacherOutput) -> Targets:
        """Returns raw features, labels and the graph with self-loops, which every step normalises anew."""
        return Targets(
            inputs=graph.inputs,
            labels=graph.y,
            label_weight=mean_over(graph.train, graph.num_nodes),
            edges=graph.adj.normalize("none", self_loops=1),
        )

    def build(self, make: Callable[[], nn.Module], targets: Targets, teacher: TeacherOutput) -> nn.Module:
        """Builds the student, and registers predictor and decoder."""
        student = make()
        if not isinstance(student, MLP) or len(student.layers) < 2:
            raise GraphKDError(
                "method=simmlp trains the hidden layers of an MLP: use student.num_layers=2 or more"
            )
        last = student.layers[-1]
        assert isinstance(last, nn.Linear)
        width, features = last.in_features, targets.inputs.shape[1]
        self.predictor = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
        self.decoder = nn.Linear(width, features) if self.reconstruction else nn.Identity()
        self.to(targets.labels.device)
        self._student = [student]  # in a list: its parameters are the student's alone
        return student

    def phases(self) -> tuple[Phase, ...]:
        """Returns the encoder's phase, then the probe's."""
        epochs = self.pretrain_epochs
        pretrain = Phase("pretrain", "pretraining_step", "encoder_groups", True, epochs, patience=epochs)
        return pretrain, Phase("probe", "probing_step", "probe_groups")

    def encoder_groups(self, student: nn.Module, lr: float) -> list[dict[str, Any]]:
        """Returns all but the last layer, predictor and decoder."""
        (encoder,) = self._student
        last = {id(parameter) for parameter in encoder.layers[-1].parameters()}
        hidden = [parameter for parameter in student.parameters() if id(parameter) not in last]
        return [{"params": [*hidden, *self.parameters()], "lr": lr}]

    def probe_groups(self, student: nn.Module, lr: float) -> list[dict[str, Any]]:
        """Returns the last layer."""
        return [{"params": [*self._student[0].layers[-1].parameters()], "lr": self.probe_lr or lr}]

    def pretraining_step(self, student: Student, batch: Targets) -> dict[str, Tensor]:
        """Returns the loss without labels, with terms ``invariance`` and ``reconstruction``."""
        assert batch.edges is not None
        assert not isinstance(batch.inputs, Factored)  # a step of its own gets a table
        if batch.own is not None:
            raise GraphKDError("method=simmlp aggregates over several hops: leave training.batch_size out")
        z = student(masked(batch.inputs, self.feature_mask)).hidden[-1]
        edges, h = aggregation(batch.edges, self.edge_mask), z
        for _ in range(self.hops):
            h = spmm(edges, h)
        distance = 1 - F.cosine_similarity(self.predictor(z), h.detach(), dim=1)
        # Rounding can leave it below 0, of which a power is no number.
        invariance = distance.clamp_min(0).pow(self.eta).mean()
        terms = {"loss": invariance, "invariance": invariance}
        if not self.reconstruction:
            return terms
        assert isinstance(self.decoder, nn.Linear)
        error = reconstruction_error(self.decoder, h, batch.inputs)
        return {**terms, "loss": invariance + self.reconstruction * error, "reconstruction": error}

    def probing_step(self, student: Student, batch: Targets) -> dict[str, Tensor]:
        """Returns the cross-entropy on labelled nodes; the encoder is as it will be when it is shipped."""
        self._student[0].eval()
        label = batch.label_loss(batch.own_output(student(batch.inputs)).logits)
        return {"loss": label, "label": label}
