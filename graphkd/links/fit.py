"""The training loop of link prediction: early stopping on the validation AUC, and the best epoch kept."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from graphkd.errors import GraphKDError
from graphkd.links.settings import LinkTraining

UNLEARNING = 100
"""Epochs in which no training stops: the random map that a student starts with ranks pairs by similar rows, which
is first unlearned, so that the validation AUC falls before it rises."""


@dataclass(frozen=True)
class LinkFit:
    """Facts of a finished fit.

    Args:
        epochs: that were run.
        best_epoch: from 1, the last one with the best score.
        val_auc: its score.
        seconds: of wall-clock time.
        history: of each epoch ``epoch`` from 1, the mean ``loss`` of its steps and the score ``val``.
    """

    epochs: int
    best_epoch: int
    val_auc: float
    seconds: float
    history: tuple[dict[str, float], ...] = ()


def fit(
    model: nn.Module,
    losses: Callable[[int], list[Callable[[], Tensor]]],
    validate: Callable[[], float],
    training: LinkTraining,
) -> LinkFit:
    """Trains a model in place, and leaves it with the weights of its best epoch.

    Args:
        model: in whose parameters the losses are differentiable.
        losses: epoch, from 0 → one function for each step, which computes its loss.
        validate: computes the validation AUC; the model is in evaluation mode, without gradients.
        training: learning rate, epochs and patience.

    Raises:
        GraphKDError: the loss is no longer a number.
    """
    optimiser = torch.optim.Adam(
        model.parameters(), lr=training.lr, weight_decay=training.weight_decay, fused=True
    )
    best, best_epoch, kept, start, epoch = -1.0, 0, _weights(model), time.perf_counter(), 0
    history: list[dict[str, float]] = []
    while epoch < training.max_epochs and (epoch < UNLEARNING or epoch - best_epoch < training.patience):
        model.train()
        found: list[float] = []
        for step in losses(epoch):
            loss = step()
            found.append(loss.item())
            if not math.isfinite(found[-1]):
                raise GraphKDError(f"the loss is {found[-1]} in epoch {epoch + 1}: choose a smaller training.lr")
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        epoch += 1
        model.eval()
        with torch.no_grad():
            score = validate()
        history.append({"epoch": epoch, "loss": sum(found) / len(found), "val": score})
        if score >= best:
            best, best_epoch, kept = score, epoch, _weights(model)
    model.load_state_dict(kept)
    model.eval()
    return LinkFit(epoch, best_epoch, best, time.perf_counter() - start, tuple(history))


def _weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
