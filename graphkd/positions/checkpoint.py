"""The file that a killed run of the skip-gram continues from."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import safetensors
import safetensors.torch
from torch import Tensor

from graphkd.atomic_io import as_path, whole_file
from graphkd.checks import plain
from graphkd.errors import GraphKDError

KIND = "graphkd positions"


class State(NamedTuple):
    """What a run has done: both tables ``[N, d]``, and the number of blocks of walks."""

    vectors: Tensor
    contexts: Tensor
    blocks: int


class Checkpoint:
    """A safetensors file, replaced atomically.

    Args:
        path: of the file; its folder is made.
        identity: settings and fingerprint of the graph.

    Raises:
        GraphKDError: ``path`` is no path, or its folder cannot be made.
    """

    def __init__(self, path: Any, identity: dict[str, Any]) -> None:
        self.path = as_path(path, "checkpoint")
        self.identity = json.dumps({name: plain(value) for name, value in identity.items()}, sort_keys=True)
        self._guard(lambda: self.path.parent.mkdir(parents=True, exist_ok=True))

    def load(self) -> State | None:
        """Returns the state; ``None`` if there is no file, or one of other settings or of another graph.

        Raises:
            GraphKDError: the file is not such a checkpoint. It is not overwritten.
        """
        if not self.path.exists():
            return None
        try:
            with safetensors.safe_open(str(self.path), framework="pt") as file:
                metadata = file.metadata() or {}
                if metadata.get("kind") != KIND:
                    raise ValueError("it is of another kind")
                if metadata["identity"] != self.identity:
                    return None
                # Copies: a tensor of the mapped file would change with it.
                vectors, contexts = (file.get_tensor(name).clone() for name in ("vectors", "contexts"))
                return State(vectors, contexts, int(metadata["blocks"]))
        except (OSError, ValueError, KeyError, safetensors.SafetensorError) as error:
            raise GraphKDError(
                f"{self.path} is no checkpoint of positions ({error}): delete it or choose another path"
            ) from None

    def save(self, state: State) -> None:
        """Replaces the file.

        Raises:
            GraphKDError: it cannot be written.
        """
        metadata = {"kind": KIND, "identity": self.identity, "blocks": str(state.blocks)}
        tables = {"vectors": state.vectors, "contexts": state.contexts}

        def write() -> None:
            with whole_file(self.path) as draft:
                safetensors.torch.save_file(tables, draft, metadata)

        self._guard(write)

    def remove(self) -> None:
        """Deletes the file, once the run is over."""
        self._guard(lambda: self.path.unlink(missing_ok=True))

    def _guard(self, call: Callable[[], object]) -> None:
        try:
            call()
        except (OSError, safetensors.SafetensorError) as error:
            raise GraphKDError(f"{self.path} cannot be written ({error}): choose another checkpoint") from None
