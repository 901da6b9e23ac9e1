"""GCNII, a deep graph convolutional network."""

from __future__ import annotations

import math

from torch import Tensor, nn

from graphkd.norm import check_sizes
from graphkd.ranges import check_sizes as check_numbers
from graphkd.sparse import Edges, Features, linear, spmm
from graphkd.teachers.base import Teacher
from graphkd.teachers.linear_maps import xavier_linear
from graphkd.teachers.readout import Readout


class GCNIILayer(nn.Module):
    """``((1 − β) I + β W) p`` of ``p = (1 − α) Ã X + α H_0``, with ``Ã = D^-1/2 (A + I) D^-1/2``.

    Args:
        width: of ``X``, ``H_0`` and the result.
        alpha: ``α``, the share of the first embedding.
        beta: ``β``, the share of the weights.
    """

    def __init__(self, width: int, alpha: float, beta: float) -> None:
        super().__init__()
        self.alpha, self.beta = alpha, beta
        self.linear = xavier_linear(width, width, bias=False)

    def forward(self, x: Tensor, edges: Edges, first: Tensor) -> Tensor:
        """Computes ``[N, h]`` from ``x`` and ``first``, ``[N, h]`` each; a block has ``x [m, h]``."""
        operator = edges.normalize("symmetric", self_loops=1, dtype=self.linear.weight.dtype)
        mixed = spmm(operator, x).lerp(first, self.alpha)
        return mixed.lerp(self.linear(mixed), self.beta)


class GCNII(Teacher):
    """``H_l = relu(((1 − β_l) I + β_l W_l) ((1 − α) Ã H_{l-1} + α H_0))``, ``β_l = log(λ / l + 1)``.

    A GCN that stays trainable with tens of layers. ``H_0 = relu(W_in x + b)``, and a linear classifier reads
    ``H_L``. Hidden hop ``l`` is ``H_l``; ``H_L`` itself belongs to the last hop, the logits. Dropout is applied to
    what a layer reads, except to the features, and ``H_0`` is added without it. The paper decays the ``W_l`` more
    than the linear layers; here ``training.teacher_weight_decay`` is that of all weights.

    Source: Chen et al., Simple and Deep Graph Convolutional Networks, ICML 2020

    Args:
        num_features: ``D``.
        hidden_dim: width of every hop but the last.
        num_classes: ``C``.
        num_layers: graph convolutions ``L``, from 1.
        dropout: probability, after each activation.
        norm: ``none``, ``batch`` or ``layer``.
        initial_residual: ``α`` in [0, 1), the share of ``H_0``.
        identity_mapping: ``λ``; the smaller, the closer the weights' product is to the identity.
        hops: whether hidden hops are taken ``after_activation``, or ``before_activation``.
        jumping_knowledge: what the classifier reads: ``none``, ``H_L``; or ``cat`` or ``max`` of ``H_1 … H_L``.

    Raises:
        GraphKDError: an invalid size, or a setting outside its range.

    >>> from graphkd.testing.graphs import small_graph
    >>> graph = small_graph()
    >>> output = GCNII(graph.num_features, hidden_dim=16, num_classes=3, num_layers=8)(graph.x, graph.adj)
    >>> len(output.hops), output.hops[0].shape, output.logits.shape
    (8, torch.Size([60, 16]), torch.Size([60, 3]))
    """

    name = "gcnii"
    starts = True

    def __init__(
        self,
        num_features: int,
        hidden_dim: int = 128,
        num_classes: int = 2,
        num_layers: int = 16,
        dropout: float = 0.5,
        norm: str = "none",
        initial_residual: float = 0.1,
        identity_mapping: float = 0.5,
        hops: str = "after_activation",
        jumping_knowledge: str = "none",
    ) -> None:
        check_sizes(num_layers, hidden_dim, dropout)
        check_numbers("teacher", identity_mapping=identity_mapping)
        readout = Readout(jumping_knowledge, hidden_dim, num_classes, num_layers)
        betas = [math.log(identity_mapping / layer + 1) for layer in range(1, num_layers + 1)]
        convs: list[nn.Module] = [GCNIILayer(hidden_dim, initial_residual, beta) for beta in betas]
        super().__init__(convs, hidden_dim, dropout, norm, False, initial_residual, hops, readout)
        self.first = xavier_linear(num_features, hidden_dim)

    def start(self, x: Features) -> Tensor:
        """Computes ``H_0`` from rows ``[m, D]``, dense or sparse: ``[m, h]``."""
        return self.activation(linear(x, self.first.weight, self.first.bias))

    def _convolved(self, k: int, x: Features, edges: Edges, first: Tensor | None) -> Tensor:
        out: Tensor = self.convs[k](x, edges, first)
        return out
