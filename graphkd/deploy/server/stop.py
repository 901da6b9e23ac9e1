"""An end that resets nothing that was accepted: first nobody new comes in, then all who are in are answered."""

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
"""In which connections that the kernel has accepted must be taken."""

QUIET_SECONDS = 0.05
"""Without a new one, after which there are none: a handshake that has begun ends meanwhile."""

SO_ATTACH_FILTER = 26
"""Of Linux; Python's socket module has no name for it."""

# Of a packet to a listening socket, as classic BPF: load byte 13 of the TCP header, drop it if SYN is set.
NO_SYN = b"".join(
    struct.pack("=HBBI", *line) for line in ((0x30, 0, 0, 13), (0x45, 0, 1, 2), (6, 0, 0, 0), (6, 0, 0, 2**32 - 1))
)


class Server(uvicorn.Server):
    """One process that answers, and takes what waits at its door before it closes it."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops accepting, answers what was accepted, ends."""
        end, quiet = time.monotonic() + WAIT_SECONDS, 0
        for each in sockets or ():
            closed_to_new(each)
        while time.monotonic() < end and quiet < 5:
            await asyncio.sleep(QUIET_SECONDS / 5)  # the loop takes them meanwhile
            quiet = 0 if any(waiting(each) for each in sockets or ()) else quiet + 1
        await super().shutdown(sockets)


class Workers(Multiprocess):
    """Processes that answer; they share a door, which is closed before they are told to stop.

    An interrupt of the terminal goes to all of them, whatever they do: they do not hear it, but stop with this.
    """

    def init_processes(self) -> None:
        """Starts them."""
        with _unheard():
            super().init_processes()

    def keep_subprocess_alive(self) -> None:
        """Starts another one where one has died."""
        with _unheard():
            super().keep_subprocess_alive()

    def restart_all(self) -> None:
        """Starts others in their place."""
        with _unheard():
            super().restart_all()

    def terminate_all(self) -> None:
        """Stops them when all who have come are in."""
        for each in self.sockets:
            closed_to_new(each)
        end, quiet = time.monotonic() + WAIT_SECONDS, 0
        while time.monotonic() < end and quiet < 5:
            time.sleep(QUIET_SECONDS / 5)
            quiet = 0 if any(waiting(each) for each in self.sockets) else quiet + 1
        super().terminate_all()
        for each in self.sockets:
            each.close()


def closed_to_new(listener: socket.socket) -> None:
    """Nobody new comes in from now on, and who has come stays; only where the kernel is Linux's."""
    if not sys.platform.startswith("linux"):
        return
    lines = ctypes.create_string_buffer(NO_SYN)
    program = struct.pack("@HP", len(NO_SYN) // 8, ctypes.addressof(lines))
    with suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


def waiting(listener: socket.socket) -> bool:
    """Whether somebody has come whom nobody has taken."""
    asked = select.poll()
    asked.register(listener, select.POLLIN)
    return bool(asked.poll(0))


@contextmanager
def _unheard() -> Iterator[None]:
    """Processes that are started meanwhile never hear an interrupt; this one hears it afterwards."""
    resource_tracker.ensure_running()  # else it is started with the first of them, and lets them hear
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
