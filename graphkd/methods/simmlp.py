"""SimMLP: an encoder that learns to predict its own neighbourhood, then a linear probe; no teacher."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from graphkd.errors import GraphKDError
from graphkd.methods.base import Method, Student
from graphkd.methods.divergence import cosine_distance
from graphkd.methods.epoch import Phase
from graphkd.methods.masking import aggregated, aggregation, masked, reconstruction_error
from graphkd.methods.probing import encoder_parameters, probe_of
from graphkd.methods.targets import Targets, mean_over
from graphkd.ranges import check_above_zero, check_counts, check_shares, check_sizes
from graphkd.sparse import Factored

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphkd.datasets import Graph
    from graphkd.teachers import TeacherOutput


class SimMLP(Method):
    """First ``mean_v (1 − cos(P(z_v), sg(h_v)))^eta + reconstruction · mean (D(h) − x)²``, then a probe on labels.

    ``z`` is the last hidden layer of the student, ``h`` its aggregate over the graph, ``hops`` times
    ``h ← norm(Â' h)`` from it, ``P`` a predictor, ``D`` a linear decoder, ``sg`` no gradient. ``Â'`` is
    ``D^-1/2 (A' + I) D^-1/2`` of the graph ``A'`` without a share ``edge_mask`` of the edges, and the student's
    rows lack a share ``feature_mask`` of their entries; both are drawn anew in every step. Of all
    ``pretrain_epochs`` that of the smallest loss is kept. Then the last layer alone is trained on labels, the
    encoder in evaluation mode: a plain MLP is shipped.

    Left out of the released code: residuals, the activation between hops, ``z`` of length 1, the cosine schedule.

    Source: Wang et al., Training MLPs on Graphs without Supervision (SimMLP), WSDM 2025

    Args:
        eta: exponent of the cosine distance.
        hops: of the aggregate, each a sparse product ``|A| h`` in a step.
        feature_mask: share of the features' entries that is zero in a step, in [0, 1).
        edge_mask: share of the edges that is left out in a step, in [0, 1).
        reconstruction: weight of the decoder's term; 0 leaves it out.
        pretrain_epochs: of the first phase; the probe takes ``training.max_epochs``.
        probe_lr: learning rate of the probe; by default ``training.lr``, which is the encoder's.

    >>> [(phase.name, phase.max_epochs) for phase in SimMLP(pretrain_epochs=100).phases()]
    [('pretrain', 100), ('probe', None)]
    """

    name = "simmlp"
    has_teacher = False
    live_edges = True
    step_cost = "E d + N d^2"

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
        check_shares("method", feature_mask=feature_mask, edge_mask=edge_mask)
        check_counts("method", 1, hops=hops, pretrain_epochs=pretrain_epochs)
        check_sizes("method", eta=eta, reconstruction=reconstruction)
        if probe_lr is not None:
            check_above_zero("method", 1e30, probe_lr=probe_lr)
        self.eta, self.hops, self.reconstruction, self.probe_lr = eta, int(hops), reconstruction, probe_lr
        self.feature_mask, self.edge_mask, self.pretrain_epochs = feature_mask, edge_mask, int(pretrain_epochs)

    def prepare(self, graph: Graph, teacher: TeacherOutput) -> Targets:
        """Returns raw features, labels and the graph with self-loops, which every step normalises anew."""
        weight = mean_over(graph.train, graph.num_nodes)
        return Targets(graph.inputs, graph.y, weight, edges=graph.adj.normalize("none", self_loops=1))

    def build(self, make: Callable[[], nn.Module], targets: Targets, teacher: TeacherOutput) -> nn.Module:
        """Builds the student, and registers predictor and decoder."""
        student = make()
        width, features = probe_of(student, self.name).in_features, targets.inputs.shape[1]
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
        return [{"params": [*encoder_parameters(student, self.name), *self.parameters()], "lr": lr}]

    def probe_groups(self, student: nn.Module, lr: float) -> list[dict[str, Any]]:
        """Returns the last layer."""
        return [{"params": [*probe_of(student, self.name).parameters()], "lr": self.probe_lr or lr}]

    def pretraining_step(self, student: Student, batch: Targets) -> dict[str, Tensor]:
        """Returns the loss without labels, with terms ``invariance`` and ``reconstruction``."""
        assert batch.edges is not None
        assert not isinstance(batch.inputs, Factored)  # a step of its own gets a table
        if batch.own is not None:
            raise GraphKDError("method=simmlp aggregates over several hops: leave training.batch_size out")
        z = student(masked(batch.inputs, self.feature_mask)).hidden[-1]
        h = aggregated(aggregation(batch.edges, self.edge_mask), z, self.hops)
        invariance = cosine_distance(self.predictor(z), h.detach(), self.eta)
        terms = {"loss": invariance, "invariance": invariance}
        if not isinstance(self.decoder, nn.Linear):
            return terms
        error = reconstruction_error(self.decoder, h, batch.inputs)
        return {**terms, "loss": invariance + self.reconstruction * error, "reconstruction": error}

    def probing_step(self, student: Student, batch: Targets) -> dict[str, Tensor]:
        """Returns the cross-entropy on labelled nodes; the encoder is as it will be when it is shipped."""
        self._student[0].eval()
        with _frozen(encoder_parameters(self._student[0], self.name)):
            output = student(batch.inputs)
        label = batch.label_loss(batch.own_output(output).logits)
        return {"loss": label, "label": label}


@contextmanager
def _frozen(parameters: Iterable[nn.Parameter]) -> Iterator[None]:
    """Lets no gradient of what is computed in the context reach parameters, which the phase does not train."""
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)
