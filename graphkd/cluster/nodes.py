"""Checks of the machines of a cluster, before anything is computed on them."""

from __future__ import annotations

import functools
import importlib.metadata
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from graphkd import __version__
from graphkd.atomic_io import sha256
from graphkd.errors import GraphKDError

PACKAGES = ("numpy", "torch")
"""Packages whose versions, beside graphkd's own, results depend on."""

TOKEN = ".graphkd-seen-"
"""Beginning of the name of the file that every machine must see in a folder that is written to."""


def check_nodes(ray: Any, reads: Sequence[Path], writes: Sequence[Path]) -> None:
    """Checks that every machine has this version of graphkd, and sees the same files.

    Args:
        ray: the connected package.
        reads: files and folders that tasks read.
        writes: folders that tasks write to; a file is made in each for the check.

    Raises:
        GraphKDError: a machine has another version, or sees another folder or none.
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    nodes = [node for node in ray.nodes() if node["Alive"]]
    with _tokens(writes) as tokens:
        paths = [str(path.absolute()) for path in (*reads, *tokens)]
        here = facts(paths)
        tasks = [
            ray.remote(num_cpus=0, max_retries=1)(facts)
            .options(scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False))
            .remote(paths)
            for node in nodes
        ]
        shown = [str(path) for path in (*reads, *writes)]
        for node, task in zip(nodes, tasks, strict=True):
            _check(ray, node["NodeManagerHostname"], task, here, shown)


def facts(paths: list[str]) -> dict[str, Any]:
    """Returns the versions that a machine has, and what it sees at each path."""
    versions = {"graphkd": f"{__version__} ({_code()})", **{name: _version(name) for name in PACKAGES}}
    return {"versions": versions, "seen": [_seen(Path(path)) for path in paths]}


@functools.cache
def _code() -> str:
    """Returns a short checksum of graphkd's code: a checkout changes while its version does not."""
    package = Path(__file__).parents[1]
    return sha256(b"".join(file.read_bytes() for file in sorted(package.rglob("*.py"))))[:8]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _seen(path: Path) -> list[Any] | None:
    """Returns what tells a file or folder from another of the same name, or None if nothing is there."""
    try:
        if path.is_dir():
            return sorted(entry.name for entry in path.iterdir() if not entry.name.startswith("."))
        return [path.stat().st_size]
    except OSError:
        return None


def _check(ray: Any, name: str, task: Any, here: dict[str, Any], shown: list[str]) -> None:
    try:
        there = ray.get(task)
    except ray.exceptions.RayError as error:
        text = " ".join(str(getattr(error, "cause", error)).split())[:200]
        raise GraphKDError(f"{name} cannot run graphkd ({text}): install the same version there") from None
    for package, version in here["versions"].items():
        if there["versions"][package] != version:
            raise GraphKDError(
                f"{name} has {package} {there['versions'][package]}, this machine {version}: install the same "
                "version everywhere"
            )
    for path, own, seen in zip(shown, here["seen"], there["seen"], strict=True):
        if seen != own:
            raise GraphKDError(f"{name} does not see the same {path}: give a folder that all machines share")


@contextmanager
def _tokens(folders: Sequence[Path]) -> Iterator[list[Path]]:
    """Yields a new file in each folder, deleted at the end."""
    made = [folder / f"{TOKEN}{uuid.uuid4().hex}" for folder in folders]
    try:
        for token in made:
            token.touch()
        yield made
    finally:
        for token in made:
            token.unlink(missing_ok=True)
