"""Which cluster computes the tables of a run: none, or one of Ray."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from graphkd.errors import GraphKDError
from graphkd.ranges import check_above_zero, check_counts


class NoCluster:
    """Everything is computed in this process, or in those that torchrun started."""

    name = "none"


@dataclass(frozen=True)
class Ray:
    """A Ray cluster, whose machines share the folders that a command reads and writes.

    Source: Moritz et al., Ray: A Distributed Framework for Emerging AI Applications, OSDI 2018

    Args:
        address: ``HOST:PORT`` of its head; by default that of the environment variable ``RAY_ADDRESS``, and
            without one a cluster of this machine alone, which ends with the command.
        workers: tasks that run at once; by default as many as the cluster has processors.
        memory: gigabytes (10^9 bytes) that a task may take; by default what is estimated, within
            ``memory_budget`` where there is one.

    Raises:
        GraphKDError: a value is out of range.

    >>> Ray(workers=0)
    Traceback (most recent call last):
        ...
    graphkd.errors.GraphKDError: cluster.workers is 0: it must be a whole number, 1 or more
    """

    name: ClassVar[str] = "ray"
    address: str | None = None
    workers: int | None = None
    memory: float | None = None

    def __post_init__(self) -> None:
        if self.address is not None and not (isinstance(self.address, str) and self.address):
            raise GraphKDError(f"cluster.address is {self.address!r}: give HOST:PORT of the cluster's head")
        if self.workers is not None:
            check_counts("cluster", 1, workers=self.workers)
        if self.memory is not None:
            check_above_zero("cluster", memory=self.memory)
