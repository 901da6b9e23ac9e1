"""VQGraph: the student learns how similar its teacher's hidden nodes are to the codes of a codebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from graphkd.errors import GraphKDError
from graphkd.methods.base import Method, Student
from graphkd.methods.fold import node_targets
from graphkd.methods.targets import Targets, mean_over
from graphkd.methods.tokens import token_divergence
from graphkd.ranges import check_above_zero, check_sizes

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphkd.datasets import Graph
    from graphkd.teachers import TeacherOutput

TOKENS, CODEBOOK = "tokens", "codebook"
"""Names of the extra ``[N, d]`` and the constant ``[M, d]`` of the teacher's output."""


class VQGraph(Method):
    """``lam · CE + (1 − lam) · KL + lam_tok · tau_tok² · mean_v KL(softmax(r_v/tau_tok) ‖ softmax(s_v/tau_tok))``.

    The first two terms are GLNN's. ``r_v = t̂_v E^T`` are the cosines of the teacher's hidden node, before it was
    quantised, with its codes ``E [M, d]``; ``s_v`` those of the student's last hidden layer, projected to ``d`` by
    a learned linear map that is not shipped. All nodes are distilled. Similarities are recomputed in every step,
    some rows at a time: ``3 N M d`` multiply-adds, and no table ``N × M``.

    Only ``teacher=vqgraph`` has a codebook. The best epoch is that of the validation score, as of every method
    here; the released code selects the transductive student, and stops it, by its test accuracy, so its published
    transductive scores are optimistic. It also compares the teacher's row of one node with the student's of
    another, and negative Euclidean distances with cosines; with its weight of 1e-8 neither matters, and the method
    is GLNN with another teacher.

    Source: Yang et al., VQGraph: Rethinking Graph Representation Space for Bridging GNNs and MLPs, ICLR 2024

    Args:
        lam: share of the labels.
        tau: temperature of the logits.
        lam_tok: weight of the tokens; 0 leaves them out.
        tau_tok: temperature of the similarities.

    >>> VQGraph().needs_teacher, VQGraph(lam_tok=0.0).facts()
    ('vqgraph', ('teacher=vqgraph', 'student reads x', 'no edges in a step', 'loss N M d'))
    """

    name = "vqgraph"
    needs_teacher = "vqgraph"
    step_cost = "N M d"
    codebook: Tensor

    def __init__(self, lam: float = 0.0, tau: float = 1.0, lam_tok: float = 1e-8, tau_tok: float = 4.0) -> None:
        super().__init__(lam, tau)
        check_sizes("method", lam_tok=lam_tok)
        check_above_zero("method", tau_tok=tau_tok)
        self.lam_tok, self.tau_tok = lam_tok, tau_tok

    def prepare(self, graph: Graph, teacher: TeacherOutput) -> Targets:
        """Returns raw features, the teacher's distributions and its tokens."""
        if TOKENS not in teacher.extras or CODEBOOK not in teacher.constants:
            raise GraphKDError(
                "method=vqgraph reads the codebook of a teacher, and this one has none: use teacher=vqgraph"
            )
        return Targets(
            inputs=graph.inputs,
            labels=graph.y,
            label_weight=mean_over(graph.train, graph.num_nodes),
            soft=node_targets(teacher.logits, self.tau),
            tables={TOKENS: teacher.extras[TOKENS]},
        )

    def build(self, make: Callable[[], nn.Module], targets: Targets, teacher: TeacherOutput) -> nn.Module:
        """Builds the student, and registers the codebook and the projection to its width."""
        student, codebook = make(), teacher.constants[CODEBOOK]
        layers = getattr(student, "layers", None)
        if layers is None or len(layers) < 2:
            raise GraphKDError(
                "method=vqgraph reads the last hidden layer of an MLP: use student=mlp, student.num_layers=2 or up"
            )
        self.register_buffer(CODEBOOK, codebook.clone())
        self.projection = nn.Linear(layers[-1].in_features, codebook.shape[1]).to(codebook.device)
        return student

    def training_step(self, student: Student, batch: Targets) -> dict[str, Tensor]:
        """Returns the loss, with terms ``label``, ``soft`` and ``tokens``."""
        assert batch.soft is not None
        output = student(batch.inputs)
        terms = self.weighted(batch.label_loss(output.logits), soft=batch.soft.loss(output.logits, batch.scale))
        if self.lam_tok == 0:
            return terms
        projected = self.projection(output.hidden[-1])
        divergence = token_divergence(projected, batch.tables[TOKENS], self.codebook, self.tau_tok)
        tokens = divergence / batch.num_rows
        return {**terms, "tokens": tokens, "loss": terms["loss"] + self.lam_tok * self.tau_tok**2 * tokens}
