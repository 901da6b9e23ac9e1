"""The processes of a run and their collective operations."""

from __future__ import annotations

import contextvars
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from graphkd.distributed.barrier import Barrier

T = TypeVar("T")


class World:
    """One of the ``K`` processes of a run; by default the only one.

    All processes make the same calls in the same order. Only rank 0 writes files and prints.

    Args:
        rank: index of this process, from 0.
        size: ``K``.
        barrier: at which the other ranks wait for rank 0; ``None`` for a single process.
        local_rank: index of this process on its machine.
        local_world_size: number of processes on this machine.
        started: number of processes of the run, if this one temporarily acts as a world of size 1; by default
            ``K``.
    """

    def __init__(
        self,
        rank: int = 0,
        size: int = 1,
        barrier: Barrier | None = None,
        local_rank: int = 0,
        local_world_size: int = 1,
        started: int | None = None,
    ) -> None:
        self.rank, self.size, self.local_rank, self.local_world_size = rank, size, local_rank, local_world_size
        self.started = size if started is None else started
        self._barrier = barrier

    @property
    def is_rank0(self) -> bool:
        """Whether this process has rank 0, which writes files and prints."""
        return self.rank == 0

    @property
    def is_distributed(self) -> bool:
        """Whether there is more than one process."""
        return self.size > 1

    @property
    def no_bar(self) -> bool | None:
        """Value of tqdm's ``disable``: only rank 0 shows progress bars, on a terminal."""
        return None if self.is_rank0 else True

    def rows(self, total: int) -> slice:
        """Returns this process's contiguous slice of ``total`` rows; lengths differ by at most one row."""
        return slice(self.rank * total // self.size, (self.rank + 1) * total // self.size)

    def all_reduce(self, x: Tensor) -> Tensor:
        """Computes ``Σ_r x_r`` over the processes, bitwise equal on all."""
        result = x.detach().clone(memory_format=torch.contiguous_format)
        if self.is_distributed:
            dist.all_reduce(result)
        return result

    def all_gather(self, x: Tensor, total: int) -> Tensor:
        """Gathers each process's ``rows(total)``, ``[b, …]``, into ``[total, …]``, bitwise equal on all."""
        if not self.is_distributed:
            return x
        whole = x.new_zeros(total, *x.shape[1:])
        whole[self.rows(total)] = x.detach()
        dist.all_reduce(whole)
        return whole

    def all_reduce_terms(self, first: Tensor, terms: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Sums scalar terms over the processes, bitwise equal on all."""
        if not self.is_distributed:
            return first, dict(terms)
        head, *rest = self.all_reduce(torch.stack([part.double() for part in (first, *terms.values())])).unbind()
        return head, dict(zip(terms, rest, strict=True))

    def broadcast(self, content: bytes | None) -> bytes | None:
        """Broadcasts the content of rank 0 to all processes; other ranks' argument is ignored."""
        if not self.is_distributed:
            return content
        size = torch.tensor([-1 if content is None else len(content)])
        dist.broadcast(size, 0)
        if int(size) < 0:
            return None
        data = torch.empty(int(size), dtype=torch.uint8)
        if self.is_rank0 and content:
            data.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8))
        dist.broadcast(data, 0)
        return data.numpy().tobytes()

    def rank0_computes(self, make: Callable[[], bytes]) -> bytes:
        """Runs ``make`` on rank 0 and broadcasts its result; other ranks wait while rank 0 is alive."""
        if not self.is_distributed:
            return make()
        result = self._turn(make, others=False)
        received = self.broadcast(result)
        assert received is not None
        return received

    def rank0_first(self, make: Callable[[], T], needed: bool = True) -> T:
        """Runs ``make`` on rank 0, then on the other ranks, which reuse the files that it wrote.

        Unless ``needed``, all processes run it at the same time.
        """
        if not self.is_distributed:
            return make()
        if not needed:
            with self._alone():
                return make()
        result: T = self._turn(make, others=True)
        return result

    def _turn(self, make: Callable[[], Any], others: bool) -> Any:
        assert self._barrier is not None
        result = None
        if self.is_rank0:
            with self._barrier.open_after(), self._alone():
                result = make()
        else:
            self._barrier.wait()
        if others and not self.is_rank0:
            with self._alone():
                result = make()
        return result

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Makes ``world()`` a world of size 1 in the block; only rank 0 writes, as before."""
        with entered(World(self.rank, 1, None, self.local_rank, self.local_world_size, self.started)):
            yield

    def wrap_ddp(self, model: nn.Module, unused: bool = False) -> nn.Module:
        """Wraps a model in DistributedDataParallel; every process receives the gradient of the sum of all losses.

        Args:
            model: called with this process's rows; its weights become those of rank 0 everywhere.
            unused: whether a step may leave some of its parameters unused.
        """
        if not self.is_distributed:
            return model
        with warnings.catch_warnings():  # newer releases rename an argument
            warnings.simplefilter("ignore", FutureWarning)
            result = nn.parallel.DistributedDataParallel(
                model, broadcast_buffers=False, find_unused_parameters=unused
            )
        result.register_comm_hook(None, _summed_bucket)  # the default hook averages
        return result

    def barrier(self) -> None:
        """Waits until all processes reach this call."""
        if self.is_distributed:
            dist.all_reduce(torch.zeros(1))


def _summed_bucket(_, bucket):  # type: ignore[no-untyped-def] # torch compares annotations as objects
    work = dist.all_reduce(bucket.buffer(), async_op=True)
    return work.get_future().then(lambda done: done.value()[0])


@contextmanager
def entered(one: World) -> Iterator[World]:
    """Makes ``world()`` return ``one`` in the block."""
    outer = _CURRENT.set(one)
    try:
        yield one
    finally:
        _CURRENT.reset(outer)


def world() -> World:
    """Returns the current world; outside ``torchrun`` a single process."""
    return _CURRENT.get()


_CURRENT: contextvars.ContextVar[World] = contextvars.ContextVar("world", default=World())  # noqa: B039
