"""A stage in training is kept now and then: what was killed goes on from there, and ends with the same bits."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor, nn

from graphkd.distributed import world
from graphkd.training.fit.train_state import TrainState
from graphkd.training.stages.stage_cache import StageCache, StageResult

CHECKPOINT_SECONDS = 10.0
"""Of training, at least, between one checkpoint and the next."""

SHARE = 0.05
"""Of the time, at most, goes into writing them: large models are kept less often."""


class Checkpoint:
    """The checkpoint of one stage: everything on which its next epoch depends.

    Args:
        cache: where it is kept, which may be nowhere; there it is dropped when the finished stage is kept.
        stage: its name in the cache.
        key: its key in the cache.
    """

    def __init__(self, cache: StageCache, stage: str, key: dict[str, Any]) -> None:
        self.cache, self.stage, self.key = cache, stage, key
        self.due = time.perf_counter() + CHECKPOINT_SECONDS

    def restore(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> TrainState:
        """Brings model, optimiser and torch's generators to where they were; how far that is.

        Where nothing is kept they stay as they are, at the start.
        """
        found = self.cache.load_partial(self.stage, self.key)
        if found is None:
            return TrainState()
        tensors, device = found.tensors, _device(model)
        model.load_state_dict(_under("model.", tensors))
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _under("optimizer.", tensors).items():
            index, _, entry = name.partition(".")
            state.setdefault(int(index), {})[entry] = tensor.clone()
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
        torch.set_rng_state(tensors["rng.cpu"])
        if device.type == "cuda":
            torch.cuda.set_rng_state(tensors["rng.cuda"], device)
        kept = {name: tensor.to(device) for name, tensor in _under("kept.", tensors).items()}
        return TrainState(**found.facts, kept=kept)

    def save_when_due(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, how_far: Callable[[], TrainState]
    ) -> None:
        """Keeps the end of an epoch, if the last time is long enough ago.

        Of several processes one is lost more easily, and all with it: the first one keeps every epoch.
        """
        start = time.perf_counter()
        if not world().is_rank0 or (start < self.due and world().started == 1):
            return
        device, progress = _device(model), how_far()
        tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
        tensors |= {f"kept.{name}": tensor for name, tensor in progress.kept.items()}
        for index, entries in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{entry}": tensor for entry, tensor in entries.items()}
        tensors["rng.cpu"] = torch.get_rng_state()
        if device.type == "cuda":
            tensors["rng.cuda"] = torch.cuda.get_rng_state(device)
        facts = {entry.name: getattr(progress, entry.name) for entry in fields(progress) if entry.name != "kept"}
        self.cache.save_partial(self.stage, self.key, StageResult(tensors, facts))
        end = time.perf_counter()
        self.due = end + max(CHECKPOINT_SECONDS, (end - start) / SHARE)


def _under(prefix: str, tensors: Any) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _device(model: nn.Module) -> torch.device:
    return next(model.parameters()).device
