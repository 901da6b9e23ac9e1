"""The shipped folder: weights as safetensors, everything else as JSON, nothing that can run."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import nn

from graphkd import students
from graphkd.datasets.preprocess import Preprocessing
from graphkd.deploy.predictor import Predictor
from graphkd.errors import GraphKDError
from graphkd.methods.targets import Propagation
from graphkd.names import lookup
from graphkd.sparse import check_pooling
from graphkd.storage import as_path, read_json, seal, sha256, whole_folder, write_json

SCHEMA_VERSION = 1
WEIGHTS, CARD = "model.safetensors", "bundle.json"


def write_bundle(
    path: Path,
    student: nn.Module,
    arguments: dict[str, Any],
    preprocessing: Preprocessing,
    propagation: Propagation,
    class_names: list[str] | None,
    card: dict[str, Any],
) -> None:
    """Writes ``model.safetensors`` and ``bundle.json``, both or neither.

    Args:
        path: the folder; an older bundle there is replaced.
        student: trained network.
        arguments: with which it was constructed.
        preprocessing: of raw rows.
        propagation: of prepared rows over the graph.
        class_names: ``C`` names, or nothing.
        card: where the student comes from and how it scored; for people.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in student.state_dict().items()}
    weights = safetensors.torch.save(tensors)
    description: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "student": {"name": student.name, "arguments": arguments},
        "preprocessing": asdict(preprocessing),
        "propagation": asdict(propagation),
        "class_names": class_names,
        "card": card,
        "weights_sha256": sha256(weights),
    }
    with whole_folder(path) as draft:
        (draft / WEIGHTS).write_bytes(weights)
        write_json(draft / CARD, {**description, "checksum": seal(description)})


def load_bundle(path: str | Path) -> Predictor:
    """Loads a student that answers without a graph library.

    Args:
        path: a ``bundle`` folder, or a run folder that holds one.

    Returns:
        A predictor on the CPU.

    Raises:
        GraphKDError: there is no bundle, it was truncated or edited, or it has another schema version.
    """
    path = as_path(path, "the bundle")
    folder = path / "bundle" if (path / "bundle" / CARD).is_file() else path
    description = read_json(folder / CARD, "a bundle")
    version = description.get("schema_version")
    if version != SCHEMA_VERSION:
        raise GraphKDError(
            f"{folder} has bundle schema version {version}, this graphkd reads version {SCHEMA_VERSION}: "
            "export it again or install the graphkd that wrote it"
        )
    if description.get("checksum") != seal(description):
        raise GraphKDError(f"{folder / CARD} was changed after it was written: export the bundle again")
    try:
        return _predictor(description, _weights(folder, description["weights_sha256"]))
    except GraphKDError:
        raise
    except Exception as error:  # whole, but not what this version writes
        raise GraphKDError(f"{folder} does not describe a student ({error!r}): export it again") from None


def _weights(folder: Path, digest: str) -> bytes:
    try:
        weights = (folder / WEIGHTS).read_bytes()
    except OSError:
        raise GraphKDError(f"{folder} holds no readable {WEIGHTS}: export the bundle again") from None
    if sha256(weights) != digest:
        raise GraphKDError(f"{folder / WEIGHTS} is truncated or was changed: export the bundle again")
    return weights


def _predictor(description: dict[str, Any], weights: bytes) -> Predictor:
    arguments, propagation = description["student"]["arguments"], Propagation(**description["propagation"])
    check_pooling(propagation.pooling)
    student: nn.Module = lookup(students, description["student"]["name"])(**arguments)
    student.load_state_dict(safetensors.torch.load(weights))
    return Predictor(
        student.eval(),
        num_features=propagation.raw_width(arguments["num_features"]),
        preprocessing=Preprocessing(**description["preprocessing"]),
        propagation=propagation,
        class_names=description["class_names"],
        card=description["card"],
    )
