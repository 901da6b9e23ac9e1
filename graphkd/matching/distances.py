"""Distances between matched layers; distances per node cost ``O(B d)``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor
from torch.linalg import vecdot

from graphkd.matching.gram import cka, gram

SMALLEST = 1e-24
"""Squared length below which a row counts as zero."""


@dataclass(frozen=True)
class Distance:
    """The distance between a student layer and a teacher layer.

    Args:
        of: ``[B, d]`` and ``[B, d']`` → ``[B]``, the distance at each node; a scalar where ``by_node`` is false.
        by_node: whether there is a distance per node; a distance of whole layers needs the full batch.
        any_width: whether ``d`` and ``d'`` may differ.
        row_sum: whether a node's distance depends on that node's rows alone.
        fused: the mean over nodes, where torch computes it in one pass.
    """

    of: Callable[[Tensor, Tensor], Tensor]
    by_node: bool = True
    any_width: bool = False
    fused: Callable[[Tensor, Tensor], Tensor] | None = None
    row_sum: bool = True

    def __call__(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Computes the mean over nodes, a scalar."""
        return self.of(student, teacher).mean() if self.fused is None else self.fused(student, teacher)


def mse(student: Tensor, teacher: Tensor) -> Tensor:
    """Computes ``mean_d (s_vd − t_vd)²`` of every node, ``[B]``.

    From 0 up; grows with the square of the layers' common scale.

    Source: the BART scripts of Yu, Wen and Mou, Revisiting Intermediate-Layer Matching, 2025; ALP-KD, BERT-EMD
    """
    return (student - teacher).square().mean(dim=1)


def squared_l2(student: Tensor, teacher: Tensor) -> Tensor:
    """Computes ``‖s_v − t_v‖²`` of every node, ``[B]``: ``d`` times ``mse``.

    From 0 up; grows with the width, and with the square of the layers' common scale.

    Source: the BERT scripts of Yu, Wen and Mou, Revisiting Intermediate-Layer Matching, 2025
    """
    return (student - teacher).square().sum(dim=1)


def normalized_mse(student: Tensor, teacher: Tensor) -> Tensor:
    """Computes ``‖s_v/‖s_v‖ − t_v/‖t_v‖‖²`` of every node, ``[B]``, which is ``2 − 2 cos`` for non-zero rows.

    From 0 to 4; scaling a row does not change it. A row shorter than 1e-12 counts as zero and has no gradient.

    Source: Sun et al., Patient Knowledge Distillation (PKD), EMNLP 2019; the Qwen scripts of Yu, Wen and Mou, 2025
    """
    squares = [vecdot(layer, layer) for layer in (student, teacher)]
    mask_s, mask_t = [(square > SMALLEST).to(square.dtype) for square in squares]
    scales = [square.clamp(min=SMALLEST).rsqrt() for square in squares]
    distance: Tensor = mask_s + mask_t - 2 * mask_s * mask_t * scales[0] * scales[1] * vecdot(student, teacher)
    return distance


def cosine(student: Tensor, teacher: Tensor) -> Tensor:
    """Computes ``1 − cos(s_v, t_v)`` of every node, ``[B]``; a zero row has cosine 0.

    From 0 to 2; scaling a row does not change it. Half of ``normalized_mse`` where no row is zero.

    Source: the cosine loss of Sanh et al., DistilBERT, 2019
    """
    return 1 - F.cosine_similarity(student, teacher, dim=1)


def layer_norm(student: Tensor, teacher: Tensor) -> Tensor:
    """Computes ``mse`` of rows with mean 0 and variance 1, ``[B]``: ``2 − 2 corr(s_v, t_v)``.

    From 0 to 4; scaling a row or adding a number to all its entries does not change it, unless its variance is as
    small as the 1e-5 added to it. A row of equal entries becomes zero.

    Source: Ba, Kiros and Hinton, Layer Normalization, 2016, without gain and bias
    """
    return mse(F.layer_norm(student, student.shape[1:]), F.layer_norm(teacher, teacher.shape[1:]))


def standardized_mse(student: Tensor, teacher: Tensor) -> Tensor:
    """Computes ``mse`` of layers whose ``B · d`` entries together have mean 0 and variance 1, ``[B]``.

    Its mean lies between 0 and 4; scaling a whole layer or adding a number to it does not change it, unless its
    variance is as small as the 1e-5 added to it. Unlike in ``layer_norm``, longer rows weigh more. Mean and
    variance are those of the batch.

    Source: the T5 scripts of Yu, Wen and Mou, Revisiting Intermediate-Layer Matching, 2025
    """
    return mse(F.layer_norm(student, student.shape), F.layer_norm(teacher, teacher.shape))


DISTANCES: dict[str, Distance] = {
    "mse": Distance(mse, fused=F.mse_loss),
    "normalized_mse": Distance(normalized_mse),
    "cosine": Distance(cosine),
    "squared_l2": Distance(squared_l2),
    "layer_norm": Distance(layer_norm),
    "standardized_mse": Distance(standardized_mse, row_sum=False),
    "gram": Distance(gram, by_node=False, any_width=True, row_sum=False),
    "cka": Distance(cka, by_node=False, any_width=True, row_sum=False),
}
