"""One training loop for every stage; it never knows which paper it runs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from graphkd.errors import GraphKDError
from graphkd.training.settings import Training

WARMUP_LOSS_RATIO = 0.5
"""Learning has begun when the loss has fallen to this share of the first epoch's."""

Log = list[dict[str, Any]]
"""Records of a run, one per epoch and stage: the lines of ``log.jsonl``."""


@dataclass(frozen=True)
class Fit:
    """How a stage went.

    Args:
        epochs: that were run.
        best_epoch: 0-based; its weights are the ones kept.
        seconds: wall time.
    """

    epochs: int
    best_epoch: int
    seconds: float


def fit(
    stage: str,
    model: nn.Module,
    steps: Callable[[int], Iterable[dict[str, Tensor]]],
    score: Callable[[], float],
    training: Training,
    groups: list[dict[str, Any]],
    weight_decay: float,
    log: Log,
) -> Fit:
    """Adam until the validation score has not been reached again for ``patience`` epochs.

    Afterwards ``model`` holds the weights of the best epoch, in evaluation mode. Where epochs tie, the
    later one wins, as in the released codes. Unlike there, an epoch can be the best one, patience runs, and
    weights decay, only once learning has begun: when the loss has fallen to half of the first epoch's, at
    the latest after twice ``patience`` epochs. Otherwise a lucky score of a nearly untrained teacher wins,
    whose soft labels are almost uniform; and a student of such a teacher never starts, since its loss has
    less to say about the weights than their decay. Where ``max_epochs`` end before that, the best epoch of
    all is taken.

    Args:
        stage: name in log and progress bar.
        model: everything that trains.
        steps: the epoch → its steps, each ``loss`` and named terms of the whole data or of a batch that stands for
            it, made in training mode one at a time: the weights have moved before the next is asked for. Where
            there is a term called ``method``, learning has begun by that one: what is added to it changes no
            protocol.
        score: validation score, higher is better, called in evaluation mode without gradients.
        training: epochs and patience.
        groups: of parameters, each with its ``lr``, as Adam takes them.
        weight_decay: L2 in Adam for all, from the epoch in which learning has begun.
        log: receives one record per epoch.

    Raises:
        GraphKDError: loss or weights are no longer finite.
    """
    start = time.perf_counter()
    # Fused is faster; and the other one, on a busy CPU, now and then took another first step from equal gradients.
    optimizer = torch.optim.Adam(groups, fused=True)
    best, best_epoch, kept = -math.inf, 0, {}
    epoch, begun, first = 0, False, math.inf
    with tqdm(total=training.max_epochs, desc=stage, leave=False, disable=None, unit="epoch") as bar:
        for epoch in range(training.max_epochs):
            terms = _epoch(model, optimizer, steps(epoch))
            _check_loss(stage, epoch, terms["loss"])
            value = _score(model, score)
            log.append({"stage": stage, "epoch": epoch, **terms, "val": value})
            learned = terms.get("method", terms["loss"])
            first = learned if epoch == 0 else first
            if not begun and (learned <= WARMUP_LOSS_RATIO * first or epoch >= 2 * training.patience):
                begun, best = True, -math.inf
                for group in optimizer.param_groups:
                    group["weight_decay"] = weight_decay
            if value >= best:
                best, best_epoch = value, epoch
                kept = {name: tensor.clone() for name, tensor in model.state_dict().items()}
            bar.set_postfix(val=f"{value:.3f}", best=f"{best:.3f}", refresh=False)
            bar.update()
            if begun and epoch - best_epoch >= training.patience:
                break
    _check_weights(stage, kept)
    model.load_state_dict(kept)
    return Fit(epoch + 1, best_epoch, time.perf_counter() - start)


def _epoch(
    model: nn.Module, optimizer: torch.optim.Optimizer, steps: Iterable[dict[str, Tensor]]
) -> dict[str, float]:
    """Takes the steps; the mean of their terms."""
    model.train()
    optimizer.zero_grad()
    sums: dict[str, Tensor] = {}
    count = 0
    for terms in steps:
        torch.autograd.backward(terms["loss"])
        optimizer.step()
        optimizer.zero_grad()
        count += 1
        for name, term in terms.items():
            sums[name] = term.detach() if count == 1 else sums[name] + term.detach()
    return {name: float(total) / count for name, total in sums.items()}


def _check_loss(stage: str, epoch: int, loss: float) -> None:
    if not math.isfinite(loss):
        remedy = "lower its learning rate, or scale" if epoch else "nothing has been learned yet, so scale"
        raise GraphKDError(f"the {stage}'s loss is {loss} in epoch {epoch}: {remedy} features and weights down")


def _check_weights(stage: str, weights: dict[str, Tensor]) -> None:
    if not all(bool(tensor.isfinite().all()) for tensor in weights.values()):
        raise GraphKDError(
            f"the {stage}'s weights are no longer finite: lower its learning rate, or scale the features"
        )


def _score(model: nn.Module, score: Callable[[], float]) -> float:
    model.eval()
    with torch.no_grad():
        return score()
