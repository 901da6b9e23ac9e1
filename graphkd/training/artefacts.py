"""What a finished stage leaves in the cache, so that no command does it twice."""

from __future__ import annotations

import functools
import json
import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from graphkd.distributed import world
from graphkd.errors import GraphKDError
from graphkd.recipe import Recipe
from graphkd.storage import check_writable, seal, sha256, sha256_of, write_bytes
from graphkd.tables import Storage, Workspace
from graphkd.tables.storage import DTYPES

SCHEMA_VERSION = "1"

PART = "-part"
"""Follows the name of a stage in that of a file which holds how far it is."""

FACTS = "/facts"
"""The name of the facts among tensors that are told to other processes."""


@dataclass(frozen=True)
class Artefact:
    """The result of a stage.

    Args:
        tensors: by name; on the CPU.
        facts: everything else, as JSON.
    """

    tensors: Mapping[str, Tensor]
    facts: dict[str, Any]


STORAGE = Storage()


class Artefacts:
    """Artefacts of stages in a folder, one file each, named by stage and key.

    A key says everything that the result depends on, the code included. Files appear whole, under another
    name first, so that several runs may share a cache at any time; each carries a checksum, and one that is
    damaged is made again. Where several processes share a run the first one reads and writes them, and tells the
    others.

    Args:
        root: the cache folder, or nothing, which keeps nothing.
        tables: how the tables of a stage are kept while it, and what reads them, runs.
        scratch: where tables are that go with the process, if there is no root.

    ``made`` names the stages that were kept since, which is to say not found.

    Raises:
        GraphKDError: no folder can be made there.
    """

    def __init__(self, root: Path | None, tables: Storage = STORAGE, scratch: Path | None = None) -> None:
        self.made: list[str] = []
        self.tables, self._root, self._scratch = tables, root, scratch
        self.folder = None if root is None else root / "stages"
        if self.folder is not None:
            check_writable(self.folder, "cache_dir")

    def load(self, stage: str, key: dict[str, Any]) -> Artefact | None:
        """The artefact with this key, if it is there and whole."""
        return _to_all(self._load(stage, key, f"the {stage} is made again"))

    def save(self, stage: str, key: dict[str, Any], artefact: Artefact) -> None:
        """Keeps an artefact, and no longer what there was of it; one that is there is replaced by its equal."""
        if self.folder is not None:
            self.made.append(stage)
            self._save(stage, key, artefact)
            if world().first:
                self._path(stage + PART, key, self.folder).unlink(missing_ok=True)

    def load_part(self, stage: str, key: dict[str, Any]) -> Artefact | None:
        """What was kept last of a stage that is not finished, if it is there and whole."""
        return _to_all(self._load(stage + PART, key, f"the {stage} starts anew"))

    def save_part(self, stage: str, key: dict[str, Any], artefact: Artefact) -> None:
        """Keeps how far a stage is, in the place of what was kept before; gone once the stage is finished."""
        self._save(stage + PART, key, artefact)

    @property
    def files(self) -> list[Path]:
        """Those that are kept now."""
        return [] if self.folder is None else sorted(self.folder.glob("*.safetensors"))

    def _load(self, name: str, key: dict[str, Any], otherwise: str) -> Artefact | None:
        path = None if self.folder is None else self._path(name, key, self.folder)
        if path is None or not world().first or not path.is_file():
            return None
        try:
            return _read(path, name, key)
        except Exception as error:  # a damaged file can fail in many ways
            warnings.warn(f"{path} is damaged ({error}): {otherwise}", stacklevel=3)
            return None

    def _save(self, name: str, key: dict[str, Any], artefact: Artefact) -> None:
        if self.folder is None or not world().first:
            return
        path = self._path(name, key, self.folder)
        tensors = {each: tensor.detach().cpu().contiguous() for each, tensor in artefact.tensors.items()}
        card = {"stage": name, "key": key, "facts": artefact.facts, "tensors": digest(tensors)}
        metadata = {"schema_version": SCHEMA_VERSION, "card": json.dumps(card), "checksum": seal(card)}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(path, safetensors.torch.save(tensors, metadata))
        except OSError as error:
            raise GraphKDError(
                f"the cache {path.parent} cannot be written ({error.strerror}): choose another cache_dir"
            ) from None

    def workspace(self, stage: str, key: dict[str, Any]) -> Workspace:
        """Where a stage makes its tables: the same key finds blocks that were finished before.

        Nothing that keeps nothing has a folder: its tables are in one that goes with the process.
        """
        if self.tables.bytes is None:
            return Workspace()
        if self._root is None:
            draft = tempfile.TemporaryDirectory(prefix="graphkd-", dir=self._scratch, ignore_cleanup_errors=True)
            return Workspace(Path(draft.name), self.tables.bytes, DTYPES[self.tables.dtype], stage, draft)
        folder = self._root / "tables" / f"{stage}-{_name(key)}"
        return Workspace(folder, self.tables.bytes, DTYPES[self.tables.dtype], stage)

    def forgetful(self) -> Artefacts:
        """One that keeps nothing, for parts of a person's own."""
        return Artefacts(None, self.tables, scratch=self._root)

    def _path(self, name: str, key: dict[str, Any], folder: Path) -> Path:
        return folder / f"{name}-{_name(key)}.safetensors"


def cache_for(recipe: Recipe, cache: Artefacts | None) -> Artefacts:
    """The cache, or one that keeps nothing where there is none or a part is a person's own: its code is no key."""
    if cache is None:
        return Artefacts(None)
    return cache if recipe.reproducible else cache.forgetful()


def arithmetic(device: torch.device) -> str:
    """What decides the order in which a device adds, and with it the last bits of a result.

    On a CPU these are its vector instructions and the number of threads, which share a sum among themselves.
    """
    if device.type != "cpu":
        return device.type
    return f"cpu, {torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads"


def code_of(*parts: str) -> str:
    """A checksum of the package's code in these folders and files, and of the torch that runs it."""
    return _code_of(parts)


@functools.cache
def _code_of(parts: tuple[str, ...]) -> str:
    package = Path(__file__).parent.parent
    found = [package / part for part in parts]
    files = [file for place in found for file in (place.rglob("*.py") if place.is_dir() else [place])]
    content = b"".join(file.read_bytes() for file in sorted(files))
    return sha256(content + torch.__version__.encode())


def _read(path: Path, stage: str, key: dict[str, Any]) -> Artefact:
    with safetensors.safe_open(str(path), framework="pt") as file:
        metadata = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
    card = json.loads(metadata["card"])
    if seal(card) != metadata["checksum"] or card["tensors"] != digest(tensors):
        raise ValueError("its checksum does not fit")
    if card.get("stage", stage) != stage or _name(card["key"]) != _name(key):  # older ones name no stage
        raise ValueError("it is another stage's, or has another key")
    return Artefact(tensors, card["facts"])


def made_by_first(make: Callable[[], Artefact]) -> Artefact:
    """What the first of several processes makes, alone, while the others wait."""
    return make() if not world().several else _parsed(world().first_makes(lambda: _content(make())))


def _to_all(found: Artefact | None) -> Artefact | None:
    if not world().several:
        return found
    content = world().tell(None if found is None else _content(found))
    return None if content is None else _parsed(content)


def _content(artefact: Artefact) -> bytes:
    facts = torch.frombuffer(bytearray(json.dumps(artefact.facts).encode()), dtype=torch.uint8)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in artefact.tensors.items()}
    return safetensors.torch.save({FACTS: facts, **tensors})


def _parsed(content: bytes) -> Artefact:
    tensors = safetensors.torch.load(content)
    facts = json.loads(tensors.pop(FACTS).numpy().tobytes())
    return Artefact(tensors, facts)


def _name(key: dict[str, Any]) -> str:
    return sha256(json.dumps(key, sort_keys=True).encode())[:32]


def digest(tensors: Mapping[str, Tensor]) -> str:
    """A checksum of tensors on the CPU, their names included."""
    ordered = sorted(tensors.items())
    heads = "".join(f"{name} {tensor.dtype} {list(tensor.shape)}" for name, tensor in ordered).encode()
    return sha256_of([heads, *(tensor.reshape(-1).view(torch.uint8).numpy() for _, tensor in ordered)])
