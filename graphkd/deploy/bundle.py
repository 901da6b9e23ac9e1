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
from graphkd.atomic_io import seal, sha256, whole_folder, write_json, write_text
from graphkd.classes import ClassName
from graphkd.columns import ColumnEncoding
from graphkd.datasets.preprocess import Preprocessing
from graphkd.deploy.description import task_of
from graphkd.deploy.files import CARD, INPUTS, MODEL_CARD, SCHEMA_VERSION, WEIGHTS, Bundle
from graphkd.deploy.inputs import InputParts
from graphkd.deploy.model_card import model_card
from graphkd.deploy.predictor import Predictor
from graphkd.encoders import Encoding, NodeVectors, Propagation
from graphkd.environment import own_environment
from graphkd.registry import lookup


def write_bundle(
    path: Path,
    student: nn.Module,
    arguments: dict[str, Any],
    preprocessing: Preprocessing,
    encoding: Encoding,
    class_names: list[ClassName] | None,
    card: dict[str, Any],
    feature_names: list[str] | None = None,
    columns: ColumnEncoding | None = None,
    task: str = "multiclass",
) -> None:
    """Writes ``model.safetensors``, ``bundle.json`` and ``README.md``, atomically.

    If the inputs have tensors, these are in ``inputs.safetensors``.

    Args:
        path: the bundle's folder; an existing bundle is replaced.
        student: trained network.
        arguments: arguments of its constructor.
        preprocessing: steps applied to raw rows.
        encoding: from preprocessed rows and the graph to the student's inputs.
        class_names: ``C`` names, stored as booleans, integers or strings; or None.
        card: the student's origin and its scores; for users.
        feature_names: ``D`` names of the features, or None, which omits the key.
        columns: encoding of a raw table's columns as these features; without one, or if it changes nothing, the
            key is omitted.
        task: name of what a row is asked for; of ``multiclass`` the key is omitted, as it was before there were
            others.

    >>> import tempfile
    >>> from graphkd.deploy import load_bundle
    >>> sizes = {"num_features": 4, "hidden_dim": 8, "num_classes": 2}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "bundle"
    ...     write_bundle(path, students.MLP(**sizes), sizes, Preprocessing(), Encoding(), ["no", "yes"], card={})
    ...     sorted(file.name for file in path.iterdir())
    ...     load_bundle(path).predict_proba([[0.0, 1.0, 0.0, 2.0]]).shape
    ...
    ['README.md', 'bundle.json', 'model.safetensors']
    (1, 2)
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in student.state_dict().items()}
    weights = safetensors.torch.save(tensors)
    vectors = {name: tensor.detach().cpu().contiguous() for name, tensor in encoding.tensors().items()}
    inputs = safetensors.torch.save(vectors) if vectors else None
    description: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "student": {"name": student.name, "arguments": arguments},
        "preprocessing": asdict(preprocessing),
        "inputs": encoding.arguments(),
        **({} if inputs is None else {"inputs_sha256": sha256(inputs)}),
        "class_names": class_names,
        **({} if task == "multiclass" else {"task": {"name": task}}),
        **({} if feature_names is None else {"feature_names": feature_names}),
        **({} if columns is None or columns.is_identity else {"columns": columns.to_json()}),
        "card": card,
        "weights_sha256": sha256(weights),
    }
    with whole_folder(path) as draft:
        (draft / WEIGHTS).write_bytes(weights)
        if inputs is not None:
            (draft / INPUTS).write_bytes(inputs)
        write_json(draft / CARD, {**description, "checksum": seal(description)})
        write_text(draft / MODEL_CARD, model_card(description))


def _without_old_biases(tensors: dict[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Folds a bias before a batch normalization, as version 0.1 wrote it, into the running mean."""
    for name in [name for name in tensors if name.endswith(".bias") and name not in wanted]:
        mean = name.replace("layers.", "norms.").removesuffix("bias") + "running_mean"
        if mean in tensors:
            tensors[mean] = tensors[mean] - tensors.pop(name)
    return tensors


def _encoding(bundle: Bundle) -> Encoding:
    parts = InputParts.of(bundle.description)
    mixed = (
        Propagation(parts.hops, parts.self_loops, parts.weighted, parts.pooling) if parts.hops else Propagation()
    )
    features = (mixed,) if parts.features else ()
    vectors = [NodeVectors(torch.from_numpy(array.copy())) for array in bundle.inputs.values()]
    return Encoding((*features, *vectors))


@own_environment()
def torch_predictor(bundle: Bundle) -> Predictor:
    """Builds the predictor of a bundle's student that runs in torch on the CPU.

    Raises:
        GraphKDError: the bundle names a student that does not exist.
    """
    description = bundle.description
    arguments, encoding = description["student"]["arguments"], _encoding(bundle)
    student: nn.Module = lookup(students, description["student"]["name"])(**arguments)
    tensors = {name: torch.from_numpy(tensor.copy()) for name, tensor in bundle.tensors.items()}
    student.load_state_dict(_without_old_biases(tensors, student.state_dict()))
    return Predictor(
        student.eval(),
        num_features=encoding.raw_width(arguments["num_features"]),
        preprocessing=Preprocessing(**description["preprocessing"]),
        encoding=encoding,
        class_names=description["class_names"],
        card=description["card"],
        feature_names=description.get("feature_names"),
        columns=bundle.columns,
        task=task_of(description),
    )
