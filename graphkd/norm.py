"""Building blocks shared by teachers and students: layer widths, normalisation, checks of sizes."""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphkd.checks import is_real, is_whole
from graphkd.distributed.shard import current_shard
from graphkd.errors import GraphKDError


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation that supports batches of one row: without a variance, running statistics are used.

    While ``again`` is set, the same rows are recomputed: the running statistics are not updated. Where several
    processes share a batch, its statistics are those over all processes.
    """

    again: bool = False

    def forward(self, x: Tensor) -> Tensor:
        """Normalises each channel, ``[B, d]`` → ``[B, d]``."""
        part = current_shard()
        if part is not None and self.training and part.total > 1:
            return self._of_all(x, part.total)
        several = x.shape[0] > 1
        if (several and not self.again) or not self.training:
            return super().forward(x)
        statistics = self.running_mean, self.running_var
        return F.batch_norm(x, *statistics, self.weight, self.bias, several, momentum=0.0, eps=self.eps)

    def _of_all(self, x: Tensor, rows: int) -> Tensor:
        from graphkd.distributed.reductions import total

        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        mean = total(x.sum(dim=0)) / rows
        centred = x - mean
        variance = total(centred.square().sum(dim=0)) / rows
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * rows / (rows - 1), self.momentum)
        return centred * (variance + self.eps).rsqrt() * self.weight + self.bias


def has_biases(norm: str, num_layers: int, last: bool = True) -> list[bool]:
    """Returns whether each layer adds a bias: not before batch normalisation, which subtracts it again.

    Its gradient would be rounding error alone, which Adam scales up to steps of full size.

    Args:
        norm: behind every layer but the last.
        num_layers: how many there are.
        last: whether no norm is behind the last one.
    """
    return [norm != "batch"] * (num_layers - 1) + [last or norm != "batch"]


def make_norm(kind: str, width: int) -> nn.Module:
    """Builds ``none``, ``batch`` or ``layer`` normalisation over ``width`` channels."""
    kinds = {"none": nn.Identity, "batch": BatchNorm, "layer": nn.LayerNorm}
    if kind not in kinds:
        raise GraphKDError(f"norm is '{kind}': choose one of {', '.join(kinds)}")
    return nn.Identity() if kind == "none" else kinds[kind](width)


def check_sizes(num_layers: int, hidden_dim: int, dropout: float) -> None:
    """Checks the sizes of a network.

    Raises:
        GraphKDError: a size is invalid.
    """
    if not is_whole(num_layers) or num_layers < 1:
        raise GraphKDError(f"num_layers is {num_layers}: a network needs a whole number of them, at least 1")
    if not is_whole(hidden_dim) or hidden_dim < 1:
        raise GraphKDError(f"hidden_dim is {hidden_dim}: a layer needs a whole number of units, at least 1")
    if not (is_real(dropout) and 0 <= dropout < 1):
        raise GraphKDError(f"dropout is {dropout}: it must lie in [0, 1)")


def layer_widths(num_features: int, hidden_dim: int, num_classes: int, num_layers: int) -> list[tuple[int, int]]:
    """Returns ``(d_in, d_out)`` of each of ``num_layers`` layers."""
    widths = [num_features, *[hidden_dim] * (num_layers - 1), num_classes]
    return list(itertools.pairwise(widths))
