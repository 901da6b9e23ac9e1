"""Initialisation of the process group from torchrun's variables, and error reporting by one process."""

from __future__ import annotations

import contextlib
import os
import warnings
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from graphkd.distributed.barrier import FAILED, LOST, Barrier, patience
from graphkd.distributed.world import World, entered, world
from graphkd.errors import GraphKDError

NAMES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_PORT")


def asked_for(variables: Mapping[str, str] = os.environ) -> bool:
    """Returns whether this process is one of several that a launcher such as ``torchrun`` started."""
    return all(variables.get(name, "").isdigit() for name in NAMES) and int(variables["WORLD_SIZE"]) > 1


@contextmanager
def distributed_session() -> Iterator[World]:
    """Initialises the processes that ``torchrun`` started as ``world()`` in the block; one process without it.

    Only rank 0 writes to stdout and warns. A failure in one process ends all: the first that fails
    reports it in one line, and the others exit with the same status.

    Raises:
        GraphKDError: this process failed and reports it, or another one is lost.
        SystemExit: another process reports the failure.
    """
    if not asked_for():
        yield world()
        return
    import torch.distributed as dist

    with _quiet(os.environ["RANK"] != "0"):
        failures = _Failures(_store())
        with failures.told_once():
            with entered(_start(failures.store)) as session:
                yield session
                session.barrier()  # no process exits while another writes
            dist.destroy_process_group()


@contextmanager
def _quiet(wanted: bool) -> Iterator[None]:
    """Suppresses stdout and warnings in the block if ``wanted``."""
    if not wanted:
        yield
        return
    with open(os.devnull, "w") as sink, contextlib.redirect_stdout(sink), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class _Failures:
    """Deduplication of error reports: the first process reports, unless it did so before a restart.

    Args:
        store: torch's key-value store.
    """

    def __init__(self, store: Any) -> None:
        import torch.distributed as dist

        self._all = store
        self.store = dist.PrefixStore(  # type: ignore[attr-defined]
            f"graphkd-{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store
        )

    @contextmanager
    def told_once(self) -> Iterator[None]:
        """Raises an error of the block in one process only, and exits in the others."""
        try:
            yield
        except (GraphKDError, OSError) as error:
            self._note(str(error))
            raise
        except RuntimeError as error:
            if not is_loss(error):
                raise
            self._note(LOST)
            raise GraphKDError(LOST) from error

    def _note(self, line: str) -> None:
        """Exits if another process has reported a failure, or this line was reported before a restart."""
        try:
            reported = (
                self.store.add(FAILED, 1) > 1 or self._all.add(f"graphkd-{zlib.crc32(line.encode())}", 1) > 1
            )
        except RuntimeError:  # the process with the store is gone
            reported = False
        if reported:
            raise SystemExit(2) from None


def _store() -> Any:
    """Connects to the store of the ``torchrun`` agent, which outlives a restart, else to that of rank 0."""
    import torch.distributed as dist

    first = os.environ["RANK"] == "0"
    is_master = first and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"
    host, port = os.environ.get("MASTER_ADDR", "localhost"), int(os.environ["MASTER_PORT"])
    try:
        if not dist.is_available():
            raise GraphKDError(
                "this torch is built without torch.distributed: install another, or start one process"
            )
        return dist.TCPStore(host, port, is_master=is_master, timeout=patience(), wait_for_workers=False)  # type: ignore[attr-defined]
    except GraphKDError:  # the same in all processes
        if first:
            raise
        raise SystemExit(2) from None
    except RuntimeError:
        raise GraphKDError(f"no process answers at {host}:{port}: start with torchrun, or without RANK") from None


def _start(store: Any) -> World:
    import torch
    import torch.distributed as dist

    rank, size, local_rank, local_world_size = (int(os.environ[name]) for name in NAMES[:4])
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=patience())
    return World(rank, size, Barrier(store), local_rank, local_world_size)


def is_loss(error: RuntimeError) -> bool:
    """Returns whether an error means that another process does not respond."""
    import torch.distributed as dist

    text = str(error)
    return asked_for() and (isinstance(error, dist.DistError) or "gloo" in text or "NCCL" in text)
