"""The training loop of every stage; it does not depend on the method."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from graphkd.callbacks.session import current_session
from graphkd.distributed import world
from graphkd.dropout.seeds import DrawCounter
from graphkd.errors import GraphKDError
from graphkd.training.device.cuda_graph import EAGER_EPOCHS, EPOCHS, CudaGraph, can_capture
from graphkd.training.device.cuda_streams import CudaStreams
from graphkd.training.device.malloc import keep_freed_memory
from graphkd.training.fit.best_weights import BestWeights
from graphkd.training.fit.checkpoint import Checkpoint
from graphkd.training.fit.early_stopping import EarlyStopping, EarlyStoppingState
from graphkd.training.fit.param_groups import ParamGroups
from graphkd.training.fit.train_spec import TrainSpec
from graphkd.training.fit.train_state import Log, TrainState
from graphkd.training.settings import Training


@dataclass(frozen=True)
class Fit:
    """The summary of a stage.

    Args:
        epochs: number of epochs run.
        best_epoch: 0-based; the stage ends with its weights.
        seconds: wall time; of a member of several, its share.
    """

    epochs: int
    best_epoch: int
    seconds: float


def fit(
    stage: str,
    train_spec: TrainSpec,
    training: Training,
    logs: Sequence[Log],
    checkpoint: Checkpoint | None = None,
) -> list[Fit]:
    """Trains each member until its best validation score is not reached for ``patience`` epochs.

    Afterwards each member holds the weights of its best epoch, in evaluation mode. Where epochs tie, the later one
    wins, as in the released codes. Unlike there, an epoch can be the best one, patience is counted, and weight
    decay applies, only once learning has begun: when the loss has fallen to half of the first step's, at the
    latest after twice ``patience`` epochs. Otherwise a chance score of a nearly untrained teacher wins, whose soft
    labels are almost uniform; and a student of such a teacher never starts to learn, since weight decay outweighs
    its loss. Where ``max_epochs`` is reached before that, the best of all epochs is used.

    On a CUDA device an epoch that ``replays`` is captured as a CUDA graph, with scores, best weights and early
    stopping, unless learning rates change in every epoch. Once learning has begun for every member, the host reads
    them every few epochs, or when the next member may stop, so that no epoch is wasted.

    Args:
        stage: name in log and progress bar.
        train_spec: what is trained.
        training: epochs and patience.
        logs: one per member; receives one record per epoch.
        checkpoint: where the state of a single member is saved periodically, and a killed stage resumes from.

    Raises:
        GraphKDError: loss or weights are no longer finite.
    """
    loop = _Loop(stage, train_spec, training, checkpoint)
    bar = tqdm(
        total=training.max_epochs,
        initial=loop.state.epochs,
        desc=stage,
        leave=False,
        disable=world().no_bar,
        unit="epoch",
    )
    with bar, keep_freed_memory():
        while not all(loop.state.ended):
            before = loop.state.epochs
            loop.advance()
            value, best = max(loop.state.value), max(loop.state.best)
            bar.set_postfix(val=f"{value:.3f}", best=f"{best:.3f}", refresh=False)
            bar.update(loop.state.epochs - before)
    return loop.finish(logs)


class _Loop:
    """The state of one call of ``fit``."""

    def __init__(
        self, stage: str, train_spec: TrainSpec, training: Training, checkpoint: Checkpoint | None
    ) -> None:
        self.start, self.checkpoint = time.perf_counter(), checkpoint
        self.stage, self.train_spec = stage, train_spec
        self.param_groups = ParamGroups(train_spec)
        groups = self.param_groups.groups([False] * len(train_spec.groups))
        device = groups[0]["params"][0].device
        self.optimiser = train_spec.optimiser
        # A graph holds the rates that it was captured with: rates of a schedule are changed between eager epochs.
        replays = train_spec.replays and not self.optimiser.moves and can_capture(device) and world().started == 1
        self.optimizer = self.optimiser.build(groups, capturable=replays)
        self.stopping = EarlyStopping(len(train_spec.groups), training, device)
        progress = TrainState() if checkpoint is None else checkpoint.restore(train_spec.model, self.optimizer)
        self.start -= progress.seconds
        self.stopping.resume(progress)
        self.kept = [progress.kept] if progress.kept else [{} for _ in train_spec.groups]
        self.state = self.stopping.read()
        self.eager = EAGER_EPOCHS + self.optimiser.warmup if replays else training.max_epochs
        self.cuda_graph: CudaGraph | None = None
        self.draws = DrawCounter()
        self.running, self.streams = len(self.kept), CudaStreams(len(self.kept), device)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.start

    def advance(self) -> None:
        """Runs an epoch, or as many as a graph replays between two reads by the host."""
        factor = self.optimiser.factor(self.state.epochs, self.stopping.training.max_epochs)
        if self.param_groups.hand(self.optimizer, self.state.begun, factor):
            self.cuda_graph = None  # a graph holds the rates that it was captured with
        if self.eager > 0:
            self.eager -= 1
            with self.draws.of_calls():
                self._epoch(self.state.epochs)
            self.state = self.stopping.read()
            for member, better in enumerate(self.state.better):
                if better:
                    live = self.train_spec.weights(member).items()
                    self.kept[member] = {name: tensor.clone() for name, tensor in live}
        else:
            self.cuda_graph = self.cuda_graph or self._recorded()
            self.cuda_graph(min(EPOCHS, self.state.until(self.stopping.training)))
            self.state = self.stopping.read()
        self._check_loss(self.state)
        self._deliver()
        self._narrow()
        if self.checkpoint is not None:
            self.checkpoint.save_when_due(
                self.train_spec.model,
                self.optimizer,
                lambda: self.stopping.progress(self.stage, self.seconds, self.kept[0]),
            )

    def finish(self, logs: Sequence[Log]) -> list[Fit]:
        """Loads the weights of every member's best epoch, and returns the summaries."""
        self.cuda_graph = None  # it references this loop, a cycle whose memory would otherwise be freed late
        best_epochs, share = self.stopping.best_epoch.tolist(), self.seconds / len(self.kept)
        for member, (weights, log) in enumerate(zip(self.kept, logs, strict=True)):
            if not all(bool(tensor.isfinite().all()) for tensor in weights.values()):
                raise GraphKDError(
                    f"the {self.stage}'s weights are no longer finite: lower its learning rate, or scale the "
                    "features"
                )
            with torch.no_grad():
                for name, tensor in self.train_spec.weights(member).items():
                    tensor.copy_(weights[name])
            log += self.stopping.log(self.stage, member, self.state.ended[member])
        self.train_spec.model.eval()
        return [Fit(ended, best, share) for ended, best in zip(self.state.ended, best_epochs, strict=True)]

    def _deliver(self) -> None:
        """Hands new records to callbacks; those of several members are delivered when each one's run loads it."""
        session = current_session()
        if session is not None and len(self.kept) == 1:
            epochs = self.state.epochs
            session.epochs(self.stage, lambda done: self.stopping.log(self.stage, 0, epochs, done))

    def _epoch(self, epoch: int) -> None:
        """Runs the steps of an epoch, scores the members, and records losses and scores."""
        self.train_spec.model.train()
        self.optimizer.zero_grad()
        sums: dict[str, Tensor] = {}
        count = 0
        for terms in self.train_spec.steps(epoch):
            torch.autograd.backward(terms["loss"].sum())
            self.optimiser.clip(self.train_spec.groups)
            self.optimizer.step()
            self.optimizer.zero_grad()
            count += 1
            terms = {name: term.detach() for name, term in terms.items()}
            if count == 1:
                first = terms.get("method", terms["loss"])
            sums = terms if count == 1 else {name: total + terms[name] for name, total in sums.items()}
        first, sums = world().all_reduce_terms(first, sums)
        self.train_spec.model.eval()
        with torch.no_grad():
            value = self.train_spec.score()
            self.stopping.note(first, {name: total.double() / count for name, total in sums.items()}, value)

    def _recorded(self) -> CudaGraph:
        """Captures an epoch, with the update of the best weights, as a graph."""
        running = [k for k, ended in enumerate(self.state.ended) if not ended]
        best = BestWeights(self.train_spec, self.kept, running, self.streams)

        def epoch() -> None:
            self._epoch(-1)
            best.keep(self.stopping.better)

        return CudaGraph(epoch, self.draws.size, self.stopping.epoch.device)

    def _narrow(self) -> None:
        """Drops the members that have stopped, so that they cost nothing more."""
        running = [member for member, ended in enumerate(self.state.ended) if not ended]
        if self.train_spec.narrow is not None and 0 < len(running) < self.running:
            self.train_spec.narrow(running)
            self.running, self.cuda_graph = len(running), None

    def _check_loss(self, seen: EarlyStoppingState) -> None:
        for member, number in enumerate(seen.broken):
            if number:
                loss = self.stopping.log(self.stage, member, number)[-1]["loss"]
                remedy = "lower its learning rate, or scale"
                if number == 1:
                    remedy = "nothing has been learned yet, so scale"
                raise GraphKDError(
                    f"the {self.stage}'s loss is {loss} in epoch {number - 1}: {remedy} features and weights down"
                )
