"""Graceful shutdown without resets: new connections are refused first, then all accepted ones are served."""

from __future__ import annotations

import asyncio
import ctypes
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker

import uvicorn
from uvicorn.supervisors import Multiprocess

WAIT_SECONDS = 2.0
"""Time to accept the connections that the kernel has established."""

QUIET_SECONDS = 0.05
"""Time without a new connection after which none is pending: a handshake in progress completes meanwhile."""

SO_ATTACH_FILTER = 26
"""Linux's constant, which Python's socket module does not define."""

# Filter of a listening socket in classic BPF: load byte 13 of the TCP header, drop the packet if SYN is set.
NO_SYN = b"".join(
    struct.pack("=HBBI", *line) for line in ((0x30, 0, 0, 13), (0x45, 0, 1, 2), (6, 0, 0, 0), (6, 0, 0, 2**32 - 1))
)


class Server(uvicorn.Server):
    """A server process that accepts all pending connections before it closes its sockets."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops accepting new connections, serves the pending ones, and ends."""
        end, quiet = time.monotonic() + WAIT_SECONDS, 0
        for listener in sockets or ():
            closed_to_new(listener)
        while time.monotonic() < end and quiet < 5:
            await asyncio.sleep(QUIET_SECONDS / 5)  # the event loop accepts connections meanwhile
            quiet = 0 if any(waiting(listener) for listener in sockets or ()) else quiet + 1
        await super().shutdown(sockets)


class Workers(Multiprocess):
    """Worker processes that share listening sockets, which refuse new connections before the workers stop.

    A terminal sends SIGINT to the whole process group: workers block it, and are stopped by this process.
    """

    def init_processes(self) -> None:
        """Starts the workers."""
        with _unheard():
            super().init_processes()

    def keep_subprocess_alive(self) -> None:
        """Restarts workers that have died."""
        with _unheard():
            super().keep_subprocess_alive()

    def restart_all(self) -> None:
        """Replaces all workers."""
        with _unheard():
            super().restart_all()

    def terminate_all(self) -> None:
        """Stops the workers after all pending connections have been accepted."""
        for listener in self.sockets:
            closed_to_new(listener)
        end, quiet = time.monotonic() + WAIT_SECONDS, 0
        while time.monotonic() < end and quiet < 5:
            time.sleep(QUIET_SECONDS / 5)
            quiet = 0 if any(waiting(listener) for listener in self.sockets) else quiet + 1
        super().terminate_all()
        for listener in self.sockets:
            listener.close()


def closed_to_new(listener: socket.socket) -> None:
    """Drops new connections to a socket and keeps the established ones; Linux only."""
    if not sys.platform.startswith("linux"):
        return
    lines = ctypes.create_string_buffer(NO_SYN)
    program = struct.pack("@HP", len(NO_SYN) // 8, ctypes.addressof(lines))
    with suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


def waiting(listener: socket.socket) -> bool:
    """Returns whether a connection is waiting to be accepted."""
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    return bool(poll.poll(0))


@contextmanager
def _unheard() -> Iterator[None]:
    """Blocks SIGINT in processes that are started in the block; this one receives it afterwards."""
    resource_tracker.ensure_running()  # else the first of them would start it, and it unblocks SIGINT
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
