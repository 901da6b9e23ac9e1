"""One training loop for every stage; it never knows which paper it runs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from graphkd.distributed import world
from graphkd.dropout.starts import Count
from graphkd.errors import GraphKDError
from graphkd.training.best import Best
from graphkd.training.checkpoint import Checkpoint
from graphkd.training.lanes import Lanes
from graphkd.training.pages import kept_pages
from graphkd.training.progress import Log, Progress
from graphkd.training.rates import Rates
from graphkd.training.replay import EAGER_EPOCHS, EPOCHS, Replay, can_replay
from graphkd.training.settings import Training
from graphkd.training.track import Seen, Track
from graphkd.training.trainee import Trainee


@dataclass(frozen=True)
class Fit:
    """How a stage went.

    Args:
        epochs: that were run.
        best_epoch: 0-based; its weights are the ones kept.
        seconds: wall time; of a member of several, its share.
    """

    epochs: int
    best_epoch: int
    seconds: float


def fit(
    stage: str,
    trainee: Trainee,
    training: Training,
    logs: Sequence[Log],
    checkpoint: Checkpoint | None = None,
) -> list[Fit]:
    """Adam until the validation score has not been reached again for ``patience`` epochs, for each member.

    Afterwards each member holds the weights of its best epoch, in evaluation mode. Where epochs tie, the
    later one wins, as in the released codes. Unlike there, an epoch can be the best one, patience runs, and
    weights decay, only once learning has begun: when the loss has fallen to half of the first step's, at
    the latest after twice ``patience`` epochs. Otherwise a lucky score of a nearly untrained teacher wins,
    whose soft labels are almost uniform; and a student of such a teacher never starts, since its loss has
    less to say about the weights than their decay. Where ``max_epochs`` end before that, the best epoch of
    all is taken.

    On a CUDA device an epoch that ``replays`` becomes a CUDA graph; scores, best weights and the end are found
    there too, and once every member has begun the host looks at them every few epochs, or when the next one may be
    over: none is run in vain.

    Args:
        stage: name in log and progress bar.
        trainee: what trains.
        training: epochs and patience.
        logs: one per member; receives one record per epoch.
        checkpoint: where the state of a single member is kept now and then, and from where the stage goes on if it
            was killed.

    Raises:
        GraphKDError: loss or weights are no longer finite.
    """
    loop = _Loop(stage, trainee, training, checkpoint)
    bar = tqdm(
        total=training.max_epochs,
        initial=loop.seen.epochs,
        desc=stage,
        leave=False,
        disable=world().no_bar,
        unit="epoch",
    )
    with bar, kept_pages():
        while not all(loop.seen.ended):
            before = loop.seen.epochs
            loop.advance()
            value, best = max(loop.seen.value), max(loop.seen.best)
            bar.set_postfix(val=f"{value:.3f}", best=f"{best:.3f}", refresh=False)
            bar.update(loop.seen.epochs - before)
    return loop.finish(logs)


class _Loop:
    """The state of one call."""

    def __init__(self, stage: str, trainee: Trainee, training: Training, checkpoint: Checkpoint | None) -> None:
        self.start, self.stage, self.trainee, self.checkpoint = time.perf_counter(), stage, trainee, checkpoint
        self.rates = Rates(trainee)
        groups = self.rates.groups([False] * len(trainee.groups))
        device = groups[0]["params"][0].device
        replays = trainee.replays and can_replay(device) and world().started == 1
        # Fused is faster; and the other one, on a busy CPU, now and then took another first step from equal
        # gradients.
        self.optimizer = torch.optim.Adam(groups, fused=True, capturable=replays)
        self.track = Track(len(trainee.groups), training, device)
        found = Progress() if checkpoint is None else checkpoint.restore(trainee.model, self.optimizer)
        self.start -= found.seconds
        self.track.resume(found)
        self.kept = [found.kept] if found.kept else [{} for _ in trainee.groups]
        self.seen, self.eager = self.track.read(), EAGER_EPOCHS if replays else training.max_epochs
        self.replay: Replay | None = None
        self.draws = Count()
        self.running, self.lanes = len(self.kept), Lanes(len(self.kept), device)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.start

    def advance(self) -> None:
        """Runs an epoch, or as many as a graph does between two looks at it."""
        if self.rates.hand(self.optimizer, self.seen.begun):
            self.replay = None  # a graph holds the rates that it was made with
        if self.eager > 0:
            self.eager -= 1
            with self.draws.of_calls():
                self._epoch(self.seen.epochs)
            self.seen = self.track.read()
            for member, better in enumerate(self.seen.better):
                if better:
                    live = self.trainee.weights(member).items()
                    self.kept[member] = {name: tensor.clone() for name, tensor in live}
        else:
            self.replay = self.replay or self._recorded()
            self.replay(min(EPOCHS, self.seen.until(self.track.training)))
            self.seen = self.track.read()
        self._check_loss(self.seen)
        self._narrow()
        if self.checkpoint is not None:
            self.checkpoint.save_when_due(
                self.trainee.model,
                self.optimizer,
                lambda: self.track.progress(self.stage, self.seconds, self.kept[0]),
            )

    def finish(self, logs: Sequence[Log]) -> list[Fit]:
        """Gives every member the weights of its best epoch."""
        self.replay = None  # it holds this loop: nobody else would give its memory back soon
        best_epochs, share = self.track.best_epoch.tolist(), self.seconds / len(self.kept)
        for member, (kept, log) in enumerate(zip(self.kept, logs, strict=True)):
            if not all(bool(tensor.isfinite().all()) for tensor in kept.values()):
                raise GraphKDError(
                    f"the {self.stage}'s weights are no longer finite: lower its learning rate, or scale the "
                    "features"
                )
            with torch.no_grad():
                for name, tensor in self.trainee.weights(member).items():
                    tensor.copy_(kept[name])
            log += self.track.log(self.stage, member, self.seen.ended[member])
        self.trainee.model.eval()
        return [Fit(ended, best, share) for ended, best in zip(self.seen.ended, best_epochs, strict=True)]

    def _epoch(self, epoch: int) -> None:
        """Takes the steps, scores, and notes what came out."""
        self.trainee.model.train()
        self.optimizer.zero_grad()
        sums: dict[str, Tensor] = {}
        count = 0
        for terms in self.trainee.steps(epoch):
            torch.autograd.backward(terms["loss"].sum())
            self.optimizer.step()
            self.optimizer.zero_grad()
            count += 1
            terms = {name: term.detach() for name, term in terms.items()}
            if count == 1:
                first = terms.get("method", terms["loss"])
            sums = terms if count == 1 else {name: total + terms[name] for name, total in sums.items()}
        first, sums = world().summed(first, sums)
        self.trainee.model.eval()
        with torch.no_grad():
            value = self.trainee.score()
            self.track.note(first, {name: total.double() / count for name, total in sums.items()}, value)

    def _recorded(self) -> Replay:
        """An epoch that keeps the best weights as well, as a graph."""
        best = Best(
            self.trainee, self.kept, [k for k, ended in enumerate(self.seen.ended) if not ended], self.lanes
        )

        def epoch() -> None:
            self._epoch(-1)
            best.keep(self.track.better)

        return Replay(epoch, self.draws.size, self.track.epoch.device)

    def _narrow(self) -> None:
        """Members that are over cost nothing more."""
        running = [member for member, ended in enumerate(self.seen.ended) if not ended]
        if self.trainee.narrow is not None and 0 < len(running) < self.running:
            self.trainee.narrow(running)
            self.running, self.replay = len(running), None

    def _check_loss(self, seen: Seen) -> None:
        for member, number in enumerate(seen.broken):
            if number:
                loss = self.track.log(self.stage, member, number)[-1]["loss"]
                remedy = "lower its learning rate, or scale"
                if number == 1:
                    remedy = "nothing has been learned yet, so scale"
                raise GraphKDError(
                    f"the {self.stage}'s loss is {loss} in epoch {number - 1}: {remedy} features and weights down"
                )
