"""Periodic checkpoints of a stage in training: a killed stage resumes from the last one, bit-identically."""

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
"""Minimum seconds of training between two checkpoints."""

SHARE = 0.05
"""Maximum share of the time spent on writing checkpoints: large models are saved less often."""


class Checkpoint:
    """The checkpoint of one stage: everything on which its next epoch depends.

    Args:
        cache: where it is saved, unless the cache saves nothing; it is deleted when the finished stage is saved.
        stage: its name in the cache.
        key: its key in the cache.
    """

    def __init__(self, cache: StageCache, stage: str, key: dict[str, Any]) -> None:
        self.cache, self.stage, self.key = cache, stage, key
        self.due = time.perf_counter() + CHECKPOINT_SECONDS

    def restore(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> TrainState:
        """Restores model, optimiser and torch's generators, and returns the training state.

        Without a checkpoint they do not change, and the state is that of the start.
        """
        stage_result = self.cache.load_partial(self.stage, self.key)
        if stage_result is None:
            return TrainState()
        tensors, device = stage_result.tensors, _device(model)
        model.load_state_dict(_under("model.", tensors))
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _under("optimizer.", tensors).items():
            index, _, entry = name.partition(".")
            state.setdefault(int(index), {})[entry] = tensor.clone()
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
        torch.set_rng_state(tensors["rng.cpu"])
        if device.type == "cuda":
            torch.cuda.set_rng_state(tensors["rng.cuda"], device)
        best_weights = {name: tensor.to(device) for name, tensor in _under("kept.", tensors).items()}
        return TrainState(**stage_result.facts, kept=best_weights)

    def save_when_due(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, how_far: Callable[[], TrainState]
    ) -> None:
        """Saves the state at the end of an epoch, if the last checkpoint is old enough.

        With several processes a failure is more likely, and ends all of them: rank 0 saves every epoch.
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
