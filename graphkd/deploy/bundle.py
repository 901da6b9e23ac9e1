"""Bundles, the deployable form of a student: weights as safetensors, the rest as JSON, no executable code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from graphkd import students
from graphkd.atomic_io import seal, sha256, whole_folder, write_json
from graphkd.classes import ClassName
from graphkd.datasets.preprocess import Preprocessing
from graphkd.deploy.files import CARD, SCHEMA_VERSION, WEIGHTS, Bundle
from graphkd.deploy.predictor import Predictor
from graphkd.environment import own_environment
from graphkd.features import Propagation
from graphkd.registry import lookup
from graphkd.sparse import check_pooling


def write_bundle(
    path: Path,
    student: nn.Module,
    arguments: dict[str, Any],
    preprocessing: Preprocessing,
    propagation: Propagation,
    class_names: list[ClassName] | None,
    card: dict[str, Any],
    feature_names: list[str] | None = None,
) -> None:
    """Writes ``model.safetensors`` and ``bundle.json``, both or neither.

    Args:
        path: the bundle's folder; an existing bundle is replaced.
        student: trained network.
        arguments: arguments of its constructor.
        preprocessing: steps applied to raw rows.
        propagation: of preprocessed rows over the graph.
        class_names: ``C`` names, stored as booleans, integers or strings; or None.
        card: the student's origin and its scores; for users.
        feature_names: ``D`` names of raw features, or None, which omits the key.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in student.state_dict().items()}
    weights = safetensors.torch.save(tensors)
    description: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "student": {"name": student.name, "arguments": arguments},
        "preprocessing": asdict(preprocessing),
        "propagation": asdict(propagation),
        "class_names": class_names,
        **({} if feature_names is None else {"feature_names": feature_names}),
        "card": card,
        "weights_sha256": sha256(weights),
    }
    with whole_folder(path) as draft:
        (draft / WEIGHTS).write_bytes(weights)
        write_json(draft / CARD, {**description, "checksum": seal(description)})


def _without_old_biases(tensors: dict[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Folds a bias before a batch normalization, as version 0.1 wrote it, into the running mean."""
    for name in [name for name in tensors if name.endswith(".bias") and name not in wanted]:
        mean = name.replace("layers.", "norms.").removesuffix("bias") + "running_mean"
        if mean in tensors:
            tensors[mean] = tensors[mean] - tensors.pop(name)
    return tensors


@own_environment()
def torch_predictor(bundle: Bundle) -> Predictor:
    """Builds the predictor of a bundle's student that runs in torch on the CPU.

    Raises:
        GraphKDError: the bundle names a student or a pooling that does not exist.
    """
    description = bundle.description
    arguments, propagation = description["student"]["arguments"], Propagation(**description["propagation"])
    check_pooling(propagation.pooling)
    student: nn.Module = lookup(students, description["student"]["name"])(**arguments)
    tensors = {name: torch.from_numpy(tensor.copy()) for name, tensor in bundle.tensors.items()}
    student.load_state_dict(_without_old_biases(tensors, student.state_dict()))
    return Predictor(
        student.eval(),
        num_features=propagation.raw_width(arguments["num_features"]),
        preprocessing=Preprocessing(**description["preprocessing"]),
        propagation=propagation,
        class_names=description["class_names"],
        card=description["card"],
        feature_names=description.get("feature_names"),
    )
