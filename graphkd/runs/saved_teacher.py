"""A trained teacher in the folder of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import safetensors.torch
from torch import nn

from graphkd.atomic_io import read_json, read_regular, sha256, write_bytes, write_json
from graphkd.errors import GraphKDError

if TYPE_CHECKING:
    from graphkd.datasets import Graph
    from graphkd.spec import DistillSpec

TEACHER, DIGEST = SAVED_TEACHER = "teacher.safetensors", "teacher.json"
"""Files of weights and of their checksum."""


def write_teacher(folder: Path, model: nn.Module) -> None:
    """Writes the weights of a teacher, and their checksum; its settings are in the run's ``config.yaml``."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    content = safetensors.torch.save(tensors)
    write_bytes(folder / TEACHER, content)
    write_json(folder / DIGEST, {"schema_version": 1, "weights_sha256": sha256(content)})


def trained_teacher(spec: DistillSpec, model: nn.Module | None) -> nn.Module:
    """Returns the teacher that a run trains.

    Args:
        spec: of the run.
        model: of the seed, if there is one.

    Raises:
        GraphKDError: it trains none.
    """
    given = isinstance(spec.teacher, nn.Module) or not callable(spec.teacher)
    if model is None or given or not spec.uses_teacher:
        raise GraphKDError("save_teacher is true, but this run trains no teacher of graphkd: leave it out")
    return model


def read_teacher(folder: Path, spec: DistillSpec, graph: Graph) -> nn.Module:
    """Builds the teacher of a run, with its trained weights, in evaluation mode.

    Args:
        folder: of the seed.
        spec: of the run.
        graph: its data.

    Raises:
        GraphKDError: it was not saved, was changed, or does not fit the settings.
    """
    file = folder / TEACHER
    if not file.is_file():
        raise GraphKDError(f"{folder} holds no teacher: make the run with save_teacher=true")
    content, recorded = read_regular(file), read_json(folder / DIGEST, "a saved teacher")
    if sha256(content) != recorded.get("weights_sha256"):
        raise GraphKDError(f"{file} was changed after it was written: make the run again")
    width = spec.training.teacher_width(spec.seen_features(graph.num_features), graph.num_classes)
    network: nn.Module = spec.teacher(num_features=width, num_classes=graph.num_classes)  # type: ignore[operator]
    model = graph.task.answering(network)
    try:
        model.load_state_dict(safetensors.torch.load(content))
    except RuntimeError:
        raise GraphKDError(f"{file} is of another network than config.yaml: make the run again") from None
    return model.eval()
