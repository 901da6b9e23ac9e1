"""The cache of finished stages, so that no command computes one twice."""

from __future__ import annotations

import functools
import json
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from graphkd.atomic_io import check_writable, seal, sha256, sha256_of, write_bytes
from graphkd.cluster.columns import ClusterColumns
from graphkd.distributed import world
from graphkd.errors import GraphKDError
from graphkd.outofcore import TableOptions, TableStore
from graphkd.outofcore.options import DTYPES
from graphkd.spec import DistillSpec

SCHEMA_VERSION = "1"

PART = "-part"
"""Suffix of a stage's name in the file name of its checkpoint."""

FACTS = "/facts"
"""The name of the facts among the tensors sent to other processes."""


@dataclass(frozen=True)
class StageResult:
    """The result of a stage.

    Args:
        tensors: by name; on the CPU.
        facts: everything else, as JSON.
    """

    tensors: Mapping[str, Tensor]
    facts: dict[str, Any]


STORAGE = TableOptions()


class StageCache:
    """A cache of stages in a folder, one file each, named by stage and key.

    A key contains everything that the result depends on, the code included. Files are written under another name
    and renamed, so that several runs may share a cache at any time; each has a checksum, and a damaged one is
    recomputed. Where several processes share a run, rank 0 reads and writes the files, and broadcasts them.

    Args:
        root: the cache folder, or None, which saves nothing.
        tables: how the tables of a stage are stored while it, and what reads them, runs.
        scratch: the folder of tables that are deleted with the process, if there is no root.

    ``made`` names the stages that were saved since, which is to say not found.

    Raises:
        GraphKDError: the folder cannot be created.
    """

    def __init__(self, root: Path | None, tables: TableOptions = STORAGE, scratch: Path | None = None) -> None:
        self.made: list[str] = []
        self.tables, self._root, self._scratch = tables, root, scratch
        self.folder = None if root is None else root / "stages"
        if self.folder is not None:
            check_writable(self.folder, "cache_dir")

    def load(self, stage: str, key: dict[str, Any]) -> StageResult | None:
        """Loads the result with this key, or None if it is missing or damaged."""
        return _to_all(self._load(stage, key, f"the {stage} is computed again"))

    def save(self, stage: str, key: dict[str, Any], stage_result: StageResult) -> None:
        """Saves a result and deletes its checkpoint; a result already saved is replaced by its equal."""
        if self.folder is not None:
            self.made.append(stage)
            self._save(stage, key, stage_result)
            if world().is_rank0:
                self._path(stage + PART, key, self.folder).unlink(missing_ok=True)

    def stage(self, stage: str, key: dict[str, Any], make: Callable[[], StageResult]) -> StageResult:
        """Loads a stage from the cache, or computes and saves it.

        Args:
            stage: its name.
            key: all that the result depends on.
            make: computes the result.
        """
        result = self.load(stage, key)
        if result is None:
            result = make()
            self.save(stage, key, result)
        return result

    def load_partial(self, stage: str, key: dict[str, Any]) -> StageResult | None:
        """Loads the last checkpoint of a stage, or None if it is missing or damaged."""
        return _to_all(self._load(stage + PART, key, f"the {stage} starts from the beginning"))

    def save_partial(self, stage: str, key: dict[str, Any], stage_result: StageResult) -> None:
        """Saves a checkpoint of a stage, which replaces the last one and is deleted with the stage's end."""
        self._save(stage + PART, key, stage_result)

    def scratch_file(self, stage: str, key: dict[str, Any]) -> Path | None:
        """Returns the path of a file in which a stage may keep its own checkpoint; None without a folder."""
        return None if self.folder is None else self._path(stage + PART, key, self.folder)

    @property
    def files(self) -> list[Path]:
        """The files in the cache."""
        return [] if self.folder is None else sorted(self.folder.glob("*.safetensors"))

    def _load(self, name: str, key: dict[str, Any], otherwise: str) -> StageResult | None:
        path = None if self.folder is None else self._path(name, key, self.folder)
        if path is None or not world().is_rank0 or not path.is_file():
            return None
        try:
            return _read(path, name, key)
        except Exception as error:  # a damaged file can fail in many ways
            warnings.warn(f"{path} is damaged ({error}): {otherwise}", stacklevel=3)
            return None

    def _save(self, name: str, key: dict[str, Any], stage_result: StageResult) -> None:
        if self.folder is None or not world().is_rank0:
            return
        path = self._path(name, key, self.folder)
        tensors = {each: tensor.detach().cpu().contiguous() for each, tensor in stage_result.tensors.items()}
        card = {"stage": name, "key": key, "facts": stage_result.facts, "tensors": digest(tensors)}
        metadata = {"schema_version": SCHEMA_VERSION, "card": json.dumps(card), "checksum": seal(card)}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(path, safetensors.torch.save(tensors, metadata))
        except OSError as error:
            raise GraphKDError(
                f"the cache {path.parent} cannot be written ({error.strerror}): choose another cache_dir"
            ) from None

    def table_store(self, stage: str, key: dict[str, Any]) -> TableStore:
        """Returns the store of a stage's tables, in which the same key finds blocks that were finished before.

        A cache that saves nothing has no folder: its tables are in one that is deleted with the process.
        """
        if self.tables.bytes is None:
            return TableStore()
        if self._root is None:
            draft = tempfile.TemporaryDirectory(prefix="graphkd-", dir=self._scratch, ignore_cleanup_errors=True)
            folder, kept = Path(draft.name), draft
        else:
            folder, kept = self._root / "tables" / f"{stage}-{_name(key)}", None
        store = TableStore(folder, self.tables.bytes, DTYPES[self.tables.dtype], stage, kept)
        if self.tables.cluster is not None:
            store.columns = ClusterColumns(self.tables.cluster, store)
        return store

    def without_files(self) -> StageCache:
        """Returns a cache that saves nothing, for parts defined by the user."""
        return StageCache(None, self.tables, scratch=self._root)

    def _path(self, name: str, key: dict[str, Any], folder: Path) -> Path:
        return folder / f"{name}-{_name(key)}.safetensors"


def cache_for(spec: DistillSpec, cache: StageCache | None) -> StageCache:
    """Returns the cache; one that saves nothing without one, or for a user's part, whose code is in no key."""
    if cache is None:
        return StageCache(None)
    return cache if spec.reproducible else cache.without_files()


def arithmetic(device: torch.device) -> str:
    """Returns what determines the order in which a device adds, and with it the last bits of a result.

    On a CPU these are its vector instructions and the number of threads, which divide a sum among themselves.
    """
    if device.type != "cpu":
        return device.type
    return f"cpu, {torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads"


UNREAD = ("callbacks", "commands", "deploy", "doctor", "reports", "runs")
"""Folders of the package that no stage runs. All others count: a list of those that stages run could miss some."""


def code_digest(installed: Sequence[Path] = ()) -> str:
    """Returns a checksum of the code that stages run: graphkd's, torch's version, and that of installed parts.

    Args:
        installed: files of parts from other packages.
    """
    own = _own_digest()
    return own if not installed else sha256(b"".join([own.encode(), *(file.read_bytes() for file in installed)]))


@functools.cache
def _own_digest() -> str:
    package = Path(__file__).parents[2]
    files = [file for file in sorted(package.rglob("*.py")) if file.relative_to(package).parts[0] not in UNREAD]
    names = "\n".join(file.relative_to(package).as_posix() for file in files)
    return sha256(b"".join([names.encode(), *(file.read_bytes() for file in files), torch.__version__.encode()]))


def _read(path: Path, stage: str, key: dict[str, Any]) -> StageResult:
    with safetensors.safe_open(str(path), framework="pt") as file:
        metadata = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
    card = json.loads(metadata["card"])
    if seal(card) != metadata["checksum"] or card["tensors"] != digest(tensors):
        raise ValueError("its checksum does not fit")
    if card.get("stage", stage) != stage or _name(card["key"]) != _name(key):  # older files name no stage
        raise ValueError("it is another stage's, or has another key")
    return StageResult(tensors, card["facts"])


def computed_on_rank0(make: Callable[[], StageResult]) -> StageResult:
    """Returns what ``make`` computes; of several processes rank 0 alone calls it, while the others wait."""
    return make() if not world().is_distributed else _parsed(world().rank0_computes(lambda: _content(make())))


def _to_all(found: StageResult | None) -> StageResult | None:
    if not world().is_distributed:
        return found
    content = world().broadcast(None if found is None else _content(found))
    return None if content is None else _parsed(content)


def _content(stage_result: StageResult) -> bytes:
    facts = torch.frombuffer(bytearray(json.dumps(stage_result.facts).encode()), dtype=torch.uint8)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in stage_result.tensors.items()}
    return safetensors.torch.save({FACTS: facts, **tensors})


def _parsed(content: bytes) -> StageResult:
    tensors = safetensors.torch.load(content)
    facts = json.loads(tensors.pop(FACTS).numpy().tobytes())
    return StageResult(tensors, facts)


def _name(key: dict[str, Any]) -> str:
    return sha256(json.dumps(key, sort_keys=True).encode())[:32]


def digest(tensors: Mapping[str, Tensor]) -> str:
    """Computes a checksum of tensors on the CPU, their names included."""
    ordered = sorted(tensors.items())
    heads = "".join(f"{name} {tensor.dtype} {list(tensor.shape)}" for name, tensor in ordered).encode()
    return sha256_of([heads, *(tensor.reshape(-1).view(torch.uint8).numpy() for _, tensor in ordered)])
