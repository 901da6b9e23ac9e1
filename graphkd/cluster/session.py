"""Connection to a Ray cluster, and tasks on it."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from graphkd.cluster.nodes import check_nodes
from graphkd.cluster.parts import Ray
from graphkd.errors import GraphKDError
from graphkd.system import readable

T = TypeVar("T")
R = TypeVar("R")

PATIENCE = 5.0
"""Seconds in which the head of a cluster must take a connection; Ray itself would wait for minutes."""

RETRIES = 3
"""Times that a task is started again after its process or its machine was lost."""


class Cluster:
    """A connected cluster.

    Args:
        options: address, tasks at once and memory of each.
        ray: the connected package.
    """

    def __init__(self, options: Ray, ray: Any) -> None:
        self.options, self._ray = options, ray

    @property
    def workers(self) -> int:
        """Number of tasks that run at once."""
        return self.options.workers or max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    @property
    def machines(self) -> dict[str, dict[str, float]]:
        """Resources of each machine that runs, such as ``CPU`` and ``memory`` in bytes."""
        return {node["NodeID"]: node["Resources"] for node in self._ray.nodes() if node["Alive"]}

    def check(self, reads: Sequence[Path], writes: Sequence[Path]) -> None:
        """Checks that every machine has this version of graphkd, and sees the same files.

        Args:
            reads: files and folders that tasks read.
            writes: folders that tasks write to.

        Raises:
            GraphKDError: a machine has another version, or does not see them.
        """
        check_nodes(self._ray, reads, writes)

    def map(self, function: Callable[[T], R], items: Iterable[T], memory: int = 0) -> Iterator[R]:
        """Yields the results of a function for items, each a task, as they are finished.

        A task whose process or machine is lost is started again elsewhere.

        Args:
            function: of an importable module; or a ``functools.partial`` of one.
            items: one for each task.
            memory: bytes that a task takes, where the options give none.

        Raises:
            GraphKDError: raised by the function; or a task is lost too often, or needs more memory than there is.
        """
        ray = self._ray
        asked = memory if self.options.memory is None else round(1e9 * self.options.memory)
        self._check_memory(asked)
        task = ray.remote(num_cpus=1, memory=asked, max_retries=RETRIES, scheduling_strategy="SPREAD")(_call)
        waiting: list[Any] = []
        source = iter(items)
        try:
            while True:
                while len(waiting) < self.workers and (item := next(source, self)) is not self:
                    waiting.append(task.remote(function, item))
                if not waiting:
                    return
                (done,), waiting = ray.wait(waiting)
                yield _result(ray, done)
        finally:
            for reference in waiting:
                ray.cancel(reference, force=True)

    def _check_memory(self, asked: int) -> None:
        largest = int(max((each.get("memory", 0) for each in self.machines.values()), default=0))
        if asked > largest:
            raise GraphKDError(
                f"a task takes {readable(asked)}, but the largest machine of the cluster gives "
                f"{readable(largest)}: give more workers, or a machine with more memory"
            )


@contextmanager
def cluster_session(options: Ray) -> Iterator[Cluster]:
    """Connects to a cluster, or starts one on this machine, which ends with the block.

    Raises:
        GraphKDError: Ray is not installed, nothing answers at the address, or it is of another version.
    """
    address = check_cluster(options)
    import ray

    own = {"address": "local", "num_cpus": options.workers, "include_dashboard": False}
    try:
        ray.init(**(own if address is None else {"address": address}), **_QUIET)
    except Exception as error:  # Ray raises many types, some of them its own
        text = " ".join(str(error).split())[:200]
        where = "no cluster can be started here" if address is None else f"{address} gives no cluster"
        raise GraphKDError(f"{where} ({text}): see docs/howto/cluster.md") from None
    try:
        yield Cluster(options, ray)
    finally:
        ray.shutdown()


_QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}


def check_cluster(options: Ray) -> str | None:
    """Checks, before anything is written, that Ray is installed and that something answers at the address.

    Returns:
        The address, or None for a cluster of this machine.

    Raises:
        GraphKDError: it is not, or nothing does.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray  # noqa: F401
    except ImportError:
        raise GraphKDError("a cluster needs Ray: pip install 'graphkd[ray]', on every machine") from None
    address = options.address or os.environ.get("RAY_ADDRESS")
    if address is not None:
        check_address(address)
    return address


def check_address(address: str) -> None:
    """Checks that something takes a connection at an address.

    Raises:
        GraphKDError: nothing does, or it is no address.

    >>> check_address("head")
    Traceback (most recent call last):
        ...
    graphkd.errors.GraphKDError: cluster.address is 'head': give HOST:PORT of the cluster's head
    """
    host, sign, port = address.removeprefix("ray://").rpartition(":")
    if not (sign and host and port.isdecimal() and int(port) < 2**16):
        raise GraphKDError(f"cluster.address is '{address}': give HOST:PORT of the cluster's head")
    try:
        socket.create_connection((host, int(port)), timeout=PATIENCE).close()
    except OSError as error:
        raise GraphKDError(
            f"no cluster answers at {address} ({error.strerror or error}): start one with ray start --head, or "
            "leave the address out for a cluster of this machine"
        ) from None


def _call(function: Callable[[T], R], item: T) -> R:
    return function(item)


def _result(ray: Any, reference: Any) -> Any:
    """Returns a task's result, or raises its error as one line."""
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        if isinstance(cause, GraphKDError | OSError):
            raise cause from None
        raise
    except ray.exceptions.OutOfMemoryError:
        raise GraphKDError("a task took more memory than its machine has: give cluster.memory, in GB") from None
    except ray.exceptions.RayError as error:
        raise GraphKDError(
            f"a task was lost {RETRIES + 1} times ({type(error).__name__}): see Ray's logs of its machine"
        ) from None
