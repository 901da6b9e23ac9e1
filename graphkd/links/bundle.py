"""Bundles of link predictors: weights and embeddings as safetensors, the rest as JSON, no executable code."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from graphkd.atomic_io import (
    as_path,
    check_schema,
    read_json_and_bytes,
    read_verified,
    seal,
    sha256,
    whole_folder,
    write_json,
)
from graphkd.columns import ColumnEncoding
from graphkd.datasets.preprocess import Preprocessing
from graphkd.deploy.files import LINKS_CARD
from graphkd.deploy.names import Columns
from graphkd.environment import own_environment
from graphkd.errors import GraphKDError
from graphkd.folders import steadily
from graphkd.links.nodes import NodeIds
from graphkd.links.predictor import LinkPredictor
from graphkd.links.student import LinkStudent

SCHEMA_VERSION = 1
WEIGHTS, TABLE, NODES, CARD = "model.safetensors", "embeddings.safetensors", "nodes.json", LINKS_CARD


def save_predictor(path: str | Path, predictor: LinkPredictor) -> None:
    """Writes ``links.json``, ``model.safetensors``, ``embeddings.safetensors`` and ``nodes.json``, atomically.

    The last holds the ids of the nodes, where they have some.

    Args:
        path: the bundle's folder; an existing one is replaced.
        predictor: with its table of embeddings, which is saved as well.

    Raises:
        GraphKDError: ``path`` is none.

    >>> import tempfile
    >>> predictor = LinkPredictor.of(LinkStudent(5, embedding_dim=4), Preprocessing(), torch.eye(5))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_predictor(Path(folder) / "bundle", predictor)
    ...     again = load_predictor(Path(folder) / "bundle")
    >>> bool((again.score([[0, 1]]) == predictor.score([[0, 1]])).all())
    True
    """
    folder, student = as_path(path, "the bundle"), predictor.student
    weights = _saved(student.state_dict())
    table, nodes = _saved({"embeddings": predictor.table}), _ids(predictor.nodes)
    columns = predictor.columns
    description: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "kind": "links",
        "student": {**student.sizes, "decoder": student.decoder.name, "num_nodes": predictor.num_nodes},
        "preprocessing": asdict(predictor.preprocessing),
        "feature_names": None if columns.names is None else list(columns.names),
        "columns": None if columns.encoding is None else columns.encoding.to_json(),
        "card": predictor.card,
        "weights_sha256": sha256(weights),
        "embeddings_sha256": sha256(table),
        "nodes_sha256": None if nodes is None else sha256(nodes),
    }
    with whole_folder(folder) as draft:
        (draft / WEIGHTS).write_bytes(weights)
        (draft / TABLE).write_bytes(table)
        if nodes is not None:
            (draft / NODES).write_bytes(nodes)
        write_json(draft / CARD, {**description, "checksum": seal(description)})


@own_environment()
def load_predictor(path: str | Path) -> LinkPredictor:
    """Reads a bundle; every file is verified before it is used.

    Args:
        path: of the bundle, or of the run folder that contains one.

    Raises:
        GraphKDError: there is no such bundle, a file was truncated or modified, or its schema version differs.

    >>> load_predictor("nowhere")
    Traceback (most recent call last):
        ...
    graphkd.errors.GraphKDError: nowhere is not a bundle of links: it holds no links.json
    """
    folder = as_path(path, "the bundle")
    folder = folder / "bundle" if (folder / "bundle" / CARD).is_file() else folder
    return steadily(folder, lambda: _read(folder))


def _read(folder: Path) -> LinkPredictor:
    description = read_json_and_bytes(folder / CARD, "a bundle of links")[0]
    check_schema(folder, description, SCHEMA_VERSION, "bundle", "save")
    if description.get("checksum") != _seal_of(description):
        raise GraphKDError(f"{folder / CARD} was changed after it was written: save the bundle again")
    try:
        sizes = dict(description["student"])
        num_nodes = sizes.pop("num_nodes")
        student = LinkStudent(**sizes, dropout=0.0)
        student.load_state_dict(_loaded(folder, WEIGHTS, description["weights_sha256"]))
        table = _loaded(folder, TABLE, description["embeddings_sha256"])["embeddings"]
        if table.shape != (num_nodes, student.decoder.dim) or table.dtype != torch.float32:
            raise ValueError("the embeddings are of another shape")
        preprocessing = Preprocessing(**description["preprocessing"])
        nodes = NodeIds.of(_known_ids(folder, description["nodes_sha256"]), num_nodes)
        content = description["columns"]
        encoding = None if content is None else ColumnEncoding.from_json(content)
        columns = Columns(description["feature_names"], encoding)
        return LinkPredictor(student.eval(), preprocessing, table, dict(description["card"]), nodes, columns)
    except GraphKDError:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).split("\n", maxsplit=1)[0]
        raise GraphKDError(f"{folder} holds no such predictor ({reason}): save the bundle again") from None


def _seal_of(description: dict[str, Any]) -> str:
    try:
        return seal(description)
    except (ValueError, RecursionError, json.JSONDecodeError):
        return ""


def _ids(nodes: NodeIds) -> bytes | None:
    return None if nodes.ids is None else json.dumps(nodes.ids, ensure_ascii=False).encode()


def _known_ids(folder: Path, digest: Any) -> list[Any] | None:
    return None if digest is None else list(json.loads(read_verified(folder, NODES, digest, "save the bundle")))


def _saved(tensors: dict[str, Tensor]) -> bytes:
    on_cpu = {name: part.detach().cpu().contiguous() for name, part in tensors.items()}
    content: bytes = safetensors.torch.save(on_cpu)
    return content


def _loaded(folder: Path, name: str, digest: Any) -> dict[str, Tensor]:
    content = read_verified(folder, name, digest, "save the bundle")
    tensors: dict[str, Tensor] = safetensors.torch.load(content)
    return tensors
