"""Cache of parsed raw files in a format that loads fast."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from graphkd.atomic_io import seal, sha256, sha256_of, whole_file


def parsed_file(root: Path, name: str, files: list[Path], code: str) -> Path:
    """Returns the cache path of the parsed form of files; it depends on their sizes and modification times.

    Args:
        root: the cache folder.
        name: of the data set.
        files: raw files.
        code: version of the parsed form.
    """
    stats = [(str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return root / "parsed" / f"{name}-{sha256(json.dumps([code, stats]).encode())[:32]}.safetensors"


def load_parsed(path: Path) -> dict[str, Tensor] | None:
    """Loads the tensors; ``None`` if the file does not exist or is damaged, with a warning."""
    if not path.is_file():
        return None
    try:
        with safetensors.safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
        if metadata["checksum"] != _checksum(tensors):
            raise ValueError("its checksum does not fit")
        if metadata.get("name", path.name) != path.name:  # files of older versions do not contain it
            raise ValueError("it was read from other files")
    except Exception as error:  # damaged files raise many types
        warnings.warn(f"{path} is damaged ({error}): the raw files are read again", stacklevel=2)
        return None
    return tensors


def save_parsed(path: Path, tensors: dict[str, Tensor]) -> None:
    """Saves tensors atomically; warns if the cache cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as draft:
            safetensors.torch.save_file(tensors, draft, {"checksum": _checksum(tensors), "name": path.name})
    except (OSError, safetensors.SafetensorError) as error:
        _warn(path, error)


def _warn(path: Path, error: Exception) -> None:
    warnings.warn(f"{path.parent} cannot be written ({error}): the raw files will be read again", stacklevel=3)


def _checksum(tensors: dict[str, Tensor]) -> str:
    """Computes a checksum of names, dtypes, shapes and bytes."""
    parts: dict[str, Any] = {}
    for name, tensor in sorted(tensors.items()):
        content = sha256_of([tensor.reshape(-1).view(torch.uint8).numpy()])
        parts[name] = [str(tensor.dtype), list(tensor.shape), content]
    return seal(parts)
