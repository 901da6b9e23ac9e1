"""Two processes with gloo between them; forked, since importing torch again takes longer than any test."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkContext
from typing import Any

import torch
import torch.distributed as dist

from graphkd.distributed import distributed_session

SIZE = 2


class Store:
    """A key-value store that outlives the processes, as ``torchrun`` has it; and its variables."""

    def __init__(self) -> None:
        self.server = dist.TCPStore("localhost", 0, is_master=True, wait_for_workers=False)
        self.restarts = 0

    def environment(self, rank: int, seconds: float = 60) -> dict[str, str]:
        return {
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "WORLD_SIZE": str(SIZE),
            "LOCAL_WORLD_SIZE": str(SIZE),
            "MASTER_ADDR": "localhost",
            "MASTER_PORT": str(self.server.port),
            "TORCHELASTIC_USE_AGENT_STORE": "True",
            "TORCHELASTIC_RESTART_COUNT": str(self.restarts),
            "GRAPHKD_TIMEOUT": str(seconds),
        }


def ready() -> ForkContext:
    """Forks this process, which has imported by then what every one of them would."""
    import ot  # noqa: F401
    import sklearn.metrics  # noqa: F401

    import graphkd.commands.distill  # noqa: F401

    return get_context("fork")


class Pair:
    """Calls functions in both processes, which wait for the next one in between."""

    def __init__(self) -> None:
        context, self.store = ready(), Store()
        pipes = [context.Pipe() for _ in range(SIZE)]
        self.ends = [here for here, _ in pipes]
        calls = [(there, self.store.environment(rank)) for rank, (_, there) in enumerate(pipes)]
        self.processes = [context.Process(target=_serve, args=call, daemon=True) for call in calls]
        for process in self.processes:
            process.start()

    def __call__(self, function: Callable[..., Any], *args: Any) -> list[Any]:
        """What it returns in each process; what it raises there is raised here."""
        for end in self.ends:
            end.send((function, args))
        answers = []
        for end in self.ends:
            assert end.poll(60), f"{function.__name__} does not return"
            answers.append(end.recv())
        for failed, answer in answers:
            assert not failed, answer
        return [answer for _, answer in answers]

    def close(self) -> None:
        for end in self.ends:
            end.send(None)
        for process in self.processes:
            process.join(20)
            process.kill()


def _serve(end: Connection, environment: dict[str, str]) -> None:
    torch.set_num_threads(1)
    os.environ.update(environment)
    with distributed_session():
        while (call := end.recv()) is not None:
            function, args = call
            try:
                end.send((False, function(*args)))
            except Exception:
                end.send((True, traceback.format_exc()))
    os._exit(0)
