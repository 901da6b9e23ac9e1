"""One training loop for every stage; it never knows which paper it runs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from tqdm import tqdm

from graphkd.distributed import world
from graphkd.errors import GraphKDError
from graphkd.training.artefacts import Artefacts
from graphkd.training.checkpoint import Checkpoint
from graphkd.training.progress import Log, Progress
from graphkd.training.settings import Training

T = TypeVar("T")

WARMUP_LOSS_RATIO = 0.5
"""Learning has begun when the loss of an epoch has fallen to this share of the very first step's."""


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
    checkpoint: Checkpoint | None = None,
) -> Fit:
    """Adam until the validation score has not been reached again for ``patience`` epochs.

    Afterwards ``model`` holds the weights of the best epoch, in evaluation mode. Where epochs tie, the
    later one wins, as in the released codes. Unlike there, an epoch can be the best one, patience runs, and
    weights decay, only once learning has begun: when the loss has fallen to half of the first step's, at
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
        checkpoint: where the state is kept now and then, and from where the stage goes on if it was killed.

    Raises:
        GraphKDError: loss or weights are no longer finite.
    """
    start = time.perf_counter()
    # Fused is faster; and the other one, on a busy CPU, now and then took another first step from equal gradients.
    optimizer = torch.optim.Adam(groups, fused=True)
    checkpoint = checkpoint or Checkpoint(Artefacts(None), stage, {})
    at = checkpoint.restore(model, optimizer)
    start -= at.seconds
    quiet = world().no_bar
    with tqdm(
        total=training.max_epochs, initial=at.epochs, desc=stage, leave=False, disable=quiet, unit="epoch"
    ) as bar:
        while not at.finished(training):
            for group in optimizer.param_groups:
                group["weight_decay"] = weight_decay if at.begun else 0
            first, terms = _epoch(model, optimizer, steps(at.epochs))
            _check_loss(stage, at.epochs, terms["loss"])
            at.first = first if at.epochs == 0 else at.first
            value = _score(model, score)
            at.log.append({"stage": stage, "epoch": at.epochs, **terms, "val": value})
            _note(at, model, terms, value, training.patience)
            bar.set_postfix(val=f"{value:.3f}", best=f"{at.best:.3f}", refresh=False)
            bar.update()
            at.seconds = time.perf_counter() - start
            checkpoint.save_when_due(model, optimizer, at)
    _check_weights(stage, at.kept)
    model.load_state_dict(at.kept)
    log += at.log
    return Fit(at.epochs, at.best_epoch, time.perf_counter() - start)


def _note(at: Progress, model: nn.Module, terms: dict[str, float], value: float, patience: int) -> None:
    """Counts an epoch: whether learning has begun, and whether it is the best."""
    if not at.begun and (_learned(terms) <= WARMUP_LOSS_RATIO * at.first or at.epochs >= 2 * patience):
        at.begun, at.best = True, -math.inf
    if value >= at.best:
        at.best, at.best_epoch = value, at.epochs
        at.kept = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    at.epochs += 1


def _epoch(
    model: nn.Module, optimizer: torch.optim.Optimizer, steps: Iterable[dict[str, Tensor]]
) -> tuple[float, dict[str, float]]:
    """Takes the steps; the first one's loss by which learning is judged, and the mean of all terms."""
    model.train()
    optimizer.zero_grad()
    sums: dict[str, Tensor] = {}
    count, first = 0, torch.tensor(math.inf)
    for terms in steps:
        torch.autograd.backward(terms["loss"])
        optimizer.step()
        optimizer.zero_grad()
        count += 1
        if count == 1:
            first = _learned(terms).detach()
        for name, term in terms.items():
            sums[name] = term.detach() if count == 1 else sums[name] + term.detach()
    first, sums = world().summed(first, sums)
    return float(first), {name: float(total) / count for name, total in sums.items()}


def _learned(terms: dict[str, T]) -> T:
    """What is added to the method's own loss changes no protocol."""
    return terms.get("method", terms["loss"])


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
