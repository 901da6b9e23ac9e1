"""APPNP, an MLP whose logits are propagated by personalised PageRank."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from graphkd.errors import GraphKDError
from graphkd.norm import check_sizes, has_biases, layer_widths
from graphkd.ranges import check_counts, check_shares
from graphkd.sparse import Adjacency, Block, Edges, Features, linear, spmm
from graphkd.teachers.base import Teacher
from graphkd.teachers.linear_maps import xavier_linear
from graphkd.teachers.output import TeacherOutput

MOST_STEPS = 1000
"""Of propagation; with ``α = 0.1`` the 100th changes no logit any more."""


class APPNPLayer(nn.Module):
    """``W x + b`` of every node by itself.

    Args:
        in_dim: width of ``x``.
        out_dim: width of the result.
        bias: whether there is a ``b``.
    """

    def __init__(self, in_dim: int, out_dim: int, bias: bool = True) -> None:
        super().__init__()
        self.linear = xavier_linear(in_dim, out_dim, bias)

    def forward(self, x: Features, edges: Edges) -> Tensor:
        """Computes ``[N, in_dim]``, dense or sparse → ``[N, out_dim]``."""
        return linear(x, self.linear.weight, self.linear.bias)


class PropagatedLayer(APPNPLayer):
    """``Z_K`` of ``Z_0 = W x + b``, ``Z_{k+1} = (1 − α) Ã Z_k + α Z_0``, with ``Ã = D^-1/2 (A + I) D^-1/2``.

    Args:
        in_dim: width of ``x``.
        out_dim: width of the result.
        steps: ``K``.
        teleport: ``α``.
    """

    def __init__(self, in_dim: int, out_dim: int, steps: int, teleport: float) -> None:
        super().__init__(in_dim, out_dim)
        self.steps, self.teleport = steps, teleport

    def forward(self, x: Features, edges: Edges) -> Tensor:
        """Computes ``[N, in_dim]``, dense or sparse → ``[N, out_dim]``, over a whole graph."""
        own = super().forward(x, edges)
        operator, out = edges.normalize("symmetric", self_loops=1, dtype=own.dtype), own
        for _ in range(self.steps):
            out = spmm(operator, out).lerp(own, self.teleport)
        return out


class APPNP(Teacher):
    """``Z_{k+1} = (1 − α) Ã Z_k + α Z_0`` for ``K`` steps, ``Z_0`` the logits of an MLP and ``Z_K`` the teacher's.

    The limit ``K → ∞`` is personalised PageRank, ``α (I − (1 − α) Ã)^-1 Z_0``. The hidden hops are the MLP's
    hidden layers, and all steps of the propagation belong to the last hop. An answer for one node depends on nodes
    ``K`` steps away, so a step of training needs the whole graph. The dropout that the paper applies to ``Ã`` in
    every step is left out.

    Source: Gasteiger et al., Predict then Propagate: Graph Neural Networks meet Personalized PageRank, ICLR 2019

    Args:
        num_features: ``D``.
        hidden_dim: width of the MLP's hidden layers.
        num_classes: ``C``.
        num_layers: layers of the MLP, from 1.
        dropout: probability, after each activation.
        norm: ``none``, ``batch`` or ``layer``.
        steps: ``K``.
        teleport: ``α`` in [0, 1), the share of a node's own logits in every step.
        hops: whether hidden hops are taken ``after_activation``, or ``before_activation``.

    Raises:
        GraphKDError: an invalid size, or a setting outside its range.

    >>> from graphkd.testing.graphs import small_graph
    >>> graph = small_graph()
    >>> output = APPNP(graph.num_features, hidden_dim=16, num_classes=3)(graph.x, graph.adj)
    >>> [hop.shape for hop in output.hops]
    [torch.Size([60, 16]), torch.Size([60, 3])]
    """

    name = "appnp"
    full_batch_only = True
    answers_blocks = False

    def __init__(
        self,
        num_features: int,
        hidden_dim: int = 128,
        num_classes: int = 2,
        num_layers: int = 2,
        dropout: float = 0.5,
        norm: str = "none",
        steps: int = 10,
        teleport: float = 0.1,
        hops: str = "after_activation",
    ) -> None:
        check_sizes(num_layers, hidden_dim, dropout)
        check_counts("teacher", 0, MOST_STEPS, steps=steps)
        check_shares("teacher", teleport=teleport)
        *hidden, last = layer_widths(num_features, hidden_dim, num_classes, num_layers)
        pairs = zip(hidden, has_biases(norm, num_layers), strict=False)  # of hidden layers only
        convs: list[nn.Module] = [APPNPLayer(*pair, bias) for pair, bias in pairs]
        convs.append(PropagatedLayer(*last, int(steps), teleport))
        super().__init__(convs, hidden_dim, dropout, norm, False, 0.0, hops)

    def forward(
        self,
        x: Features,
        adj: Adjacency | Tensor | Sequence[Block],
        edge_weight: Tensor | None = None,
        checkpointed: bool = False,
    ) -> TeacherOutput:
        """Computes the output for all nodes; see ``Teacher.forward``.

        Raises:
            GraphKDError: it is given blocks.
        """
        if not isinstance(adj, Adjacency | Tensor):
            raise GraphKDError(
                "teacher=appnp propagates over the whole graph, not over blocks: use training.teacher_batches=full"
            )
        return super().forward(x, adj, edge_weight, checkpointed)
