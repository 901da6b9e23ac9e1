"""The processes of a run, and what they tell each other."""

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
    """One of the ``K`` processes that compute the same run; by default the only one.

    All of them make the same calls in the same order. The first one alone writes files and speaks.

    Args:
        rank: number of this process, from 0.
        size: ``K``.
        barrier: where the others wait while the first one works; nothing if it is alone.
        local_rank: number of this process on its machine.
        local_world_size: processes on this machine.
        started: processes of the run, where this one does on its own what concerns all; by default ``K``.
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
        """Whether this process writes and speaks."""
        return self.rank == 0

    @property
    def is_distributed(self) -> bool:
        """Whether there are others."""
        return self.size > 1

    @property
    def no_bar(self) -> bool | None:
        """What tqdm's ``disable`` has to be: bars are shown on a terminal, by the first process."""
        return None if self.is_rank0 else True

    def rows(self, total: int) -> slice:
        """This process's share of so many rows: neighbouring ones, as many as the others have, or one more."""
        return slice(self.rank * total // self.size, (self.rank + 1) * total // self.size)

    def all_reduce(self, x: Tensor) -> Tensor:
        """``Σ_r x_r`` over the processes: the same bits on all."""
        result = x.detach().clone(memory_format=torch.contiguous_format)
        if self.is_distributed:
            dist.all_reduce(result)
        return result

    def all_gather(self, x: Tensor, total: int) -> Tensor:
        """Each process's ``rows(total)``, ``[b, …]`` → all of them ``[total, …]``, the same bits on all."""
        if not self.is_distributed:
            return x
        whole = x.new_zeros(total, *x.shape[1:])
        whole[self.rows(total)] = x.detach()
        dist.all_reduce(whole)
        return whole

    def all_reduce_terms(self, first: Tensor, terms: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Numbers of which each process has its term → their sums, the same bits on all."""
        if not self.is_distributed:
            return first, dict(terms)
        head, *rest = self.all_reduce(torch.stack([part.double() for part in (first, *terms.values())])).unbind()
        return head, dict(zip(terms, rest, strict=True))

    def broadcast(self, content: bytes | None) -> bytes | None:
        """What the first process has, to all; the others' is not read."""
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
        """What the first process makes, alone; the others wait as long as it is alive, and are told."""
        if not self.is_distributed:
            return make()
        result = self._turn(make, others=False)
        told = self.broadcast(result)
        assert told is not None
        return told

    def rank0_first(self, make: Callable[[], T], needed: bool = True) -> T:
        """The first process makes it, alone; then each of the others, which find the files that it wrote.

        Where that is not needed all make it at once.
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
        """In the block this process does on its own what all do; the first one alone may write then, too."""
        with entered(World(self.rank, 1, None, self.local_rank, self.local_world_size, self.started)):
            yield

    def wrap_ddp(self, model: nn.Module, unused: bool = False) -> nn.Module:
        """The model, called with this process's rows: the gradient of the sum of all losses reaches each process.

        Args:
            model: has equal weights everywhere afterwards, those of the first process.
            unused: whether a step may leave some of its parameters out.
        """
        if not self.is_distributed:
            return model
        with warnings.catch_warnings():  # newer releases have another name for it
            warnings.simplefilter("ignore", FutureWarning)
            result = nn.parallel.DistributedDataParallel(
                model, broadcast_buffers=False, find_unused_parameters=unused
            )
        result.register_comm_hook(None, _summed_bucket)  # by default it would be the mean
        return result

    def barrier(self) -> None:
        """Until all are here."""
        if self.is_distributed:
            dist.all_reduce(torch.zeros(1))


def _summed_bucket(_, bucket):  # type: ignore[no-untyped-def] # torch compares annotations as objects
    work = dist.all_reduce(bucket.buffer(), async_op=True)
    return work.get_future().then(lambda done: done.value()[0])


@contextmanager
def entered(one: World) -> Iterator[World]:
    """In the block ``world()`` is this one."""
    outer = _CURRENT.set(one)
    try:
        yield one
    finally:
        _CURRENT.reset(outer)


def world() -> World:
    """The processes of this run; outside ``torchrun`` this one alone."""
    return _CURRENT.get()


_CURRENT: contextvars.ContextVar[World] = contextvars.ContextVar("world", default=World())  # noqa: B039
