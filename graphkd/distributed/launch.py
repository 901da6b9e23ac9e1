"""From torchrun's variables to processes that know each other, and to one line when one of them fails."""

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
    """Whether this process was started beside others, as ``torchrun`` does."""
    return all(variables.get(name, "").isdigit() for name in NAMES) and int(variables["WORLD_SIZE"]) > 1


@contextmanager
def distributed_session() -> Iterator[World]:
    """In the block the processes that ``torchrun`` started are the ``world()``; without it, this one is.

    Only the first process writes to stdout and warns. What fails in one of them ends all: the first that fails
    says so, in one line, and the others end with the same exit status.

    Raises:
        GraphKDError: what failed here, if it is for this process to say so; or that another one is lost.
        SystemExit: it is not.
    """
    if not asked_for():
        yield world()
        return
    import torch.distributed as dist

    with _quiet(os.environ["RANK"] != "0"):
        failures = _Failures(_store())
        with failures.told_once():
            with entered(_start(failures.store)) as one:
                yield one
                one.barrier()  # nobody leaves while another writes
            dist.destroy_process_group()


@contextmanager
def _quiet(wanted: bool) -> Iterator[None]:
    """Nothing is printed and no warning shown in the block, if that is wanted."""
    if not wanted:
        yield
        return
    with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class _Failures:
    """Who may say what failed: the first process that does, unless it was said before a restart.

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
        """What fails in the block leaves it in one process, and ends the others."""
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
        """Ends this process if the line is not for it to say."""
        try:
            told = self.store.add(FAILED, 1) > 1 or self._all.add(f"graphkd-{zlib.crc32(line.encode())}", 1) > 1
        except RuntimeError:  # who kept the store is gone
            told = False
        if told:
            raise SystemExit(2) from None


def _store() -> Any:
    """Under ``torchrun`` the one that outlives a restart, else the first process's own."""
    import torch.distributed as dist

    first = os.environ["RANK"] == "0"
    mine = first and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"
    host, port = os.environ.get("MASTER_ADDR", "localhost"), int(os.environ["MASTER_PORT"])
    try:
        if not dist.is_available():
            raise GraphKDError(
                "this torch is built without torch.distributed: install another, or start one process"
            )
        return dist.TCPStore(host, port, is_master=mine, timeout=patience(), wait_for_workers=False)  # type: ignore[attr-defined]
    except GraphKDError:  # the same in all of them
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
    """Whether it says that another process does not answer."""
    import torch.distributed as dist

    text = str(error)
    return asked_for() and (isinstance(error, dist.DistError) or "gloo" in text or "NCCL" in text)
