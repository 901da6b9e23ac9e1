"""Connections that do not wait for ever, and whose every byte is counted.

uvicorn waits without an end for a head, for the rest of a body that is not read, and for an answer to be taken,
and holds what comes meanwhile. Here a connection is in one of a few states, each with a time that no byte renews.
"""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from graphkd.deploy.server.framing import Framing
from graphkd.deploy.server.lingering import NOWHERE, Lingering, refusal
from graphkd.deploy.server.settings import Limits

HEAD_BYTES = 65536
"""Of a request line and its headers."""

HEADERS = 256
"""Of a request; each takes many times its bytes."""

PIPELINED = 100
"""Requests that are taken before the first of them is answered."""

DRAINED = 4
"""Times the limit of a body, that are thrown away after an answer that did not need them."""

SPARE = 64
"""Places for connections beyond the limit, until one that has waited for long enough makes place."""

YOUNG_SECONDS = 0.5
"""In which what a new connection sends may be on its way, or lie unread."""

LATE_SECONDS = 1.0
"""After a body's time is up, in which the application says so."""

LAST_SECONDS = 0.5
"""In which a request that is on its way may still arrive when the server stops."""


class State(Enum):
    """Whom a connection waits for, and what for."""

    HEAD = auto()
    BODY = auto()
    ANSWER = auto()
    TAKE = auto()
    IDLE = auto()
    DRAIN = auto()
    LAST = auto()


class Connection(HttpToolsProtocol):
    """Closes a connection that is too slow or sends too much, whatever it is doing.

    Args:
        limits: of the worker.
    """

    deaf = False
    """Whether what comes is counted and thrown away."""

    _timer: asyncio.TimerHandle | None = None
    _end_at: float | None = None
    _state = State.HEAD
    _since = 0.0
    _size = 0
    _begun = False
    _whole = True
    _messages = 0
    _stopping = False
    _enough = False

    def __init__(self, *args: Any, limits: Limits, **named: Any) -> None:
        super().__init__(*args, **named)
        self.limits, self._framing = limits, Framing()

    @property
    def waits(self) -> bool:
        """Whether it waits for the other side, and no answer is being made."""
        free = self.cycle is None or self.cycle.response_complete or self._state in (State.BODY, State.TAKE)
        return self._end_at is not None and free

    @property
    def since(self) -> float:
        """When its state began, by the loop's clock."""
        return self._since

    def connection_made(self, transport: Any) -> None:
        """From here on a head is waited for; where there are too many, the one that waits longest makes place."""
        super().connection_made(transport)
        self._lingering = Lingering(self)
        self._wait(State.HEAD)
        if len(self.connections) >= self.limits.connections:
            self._make_place()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._end_at, self.deaf = None, True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        super().connection_lost(exc)
        if self.cycle is not None and self.cycle.response_complete:  # leaves no ring of references
            self.cycle.transport = self.transport
        del self._lingering

    def on_message_begin(self) -> None:
        """The first byte of the next head; its time begins when it is not here at once."""
        super().on_message_begin()
        self._begun = True

    def on_headers_complete(self) -> None:
        """The head is here."""
        if len(self.headers) > HEADERS:
            raise ValueError("too many headers")
        if len(self.pipeline) >= PIPELINED:  # those are answered, then the connection ends
            self._enough = True
            raise ValueError("too many requests at once")
        self._end()
        self._state, self._begun, self._whole = State.ANSWER, False, False
        self._messages += 1
        self._framing.begin()
        super().on_headers_complete()
        self.headers = NOWHERE  # trailers are none of the request's
        self.cycle.transport = self._lingering  # type: ignore[assignment]
        if self._stopping:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._framing.content += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The body is here."""
        self._whole = True
        if self._state is State.BODY:
            self._end()
            self._state = State.ANSWER
        elif self._state is State.DRAIN and not self.deaf:
            self._wait(State.IDLE)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is written, and the next request, or the rest of this one, is waited for."""
        super().on_response_complete()
        self._unset_keepalive_if_required()  # its time begins anew with every byte
        if self._begun or self.deaf or self.transport.is_closing():
            return
        if self.cycle.response_complete:  # else a request was here already
            self._wait(State.IDLE if self._whole else State.DRAIN)

    def data_received(self, data: bytes) -> None:
        """Counts what the parser does not pass on."""
        if self.deaf:
            self._drained(len(data))
            return
        messages, content, between = self._messages, self._framing.content, self._whole
        super().data_received(data)
        if self.transport.is_closing() or self.deaf:
            return
        if self._begun and self._state is not State.HEAD:
            self._wait(State.HEAD)
        alone = self._messages == messages  # nothing but what belongs to the request that is here
        if self._state is State.HEAD:
            self._size += len(data) if alone and between else 0
            if self._size > HEAD_BYTES or (self._begun and len(self.headers) > HEADERS):
                self.send_400_response("The head of the request is too long.")
        elif not self._whole:
            self._part(len(data), self._framing.content - content, alone)

    def send_400_response(self, msg: str) -> None:
        """What came is no request: says so, unless an answer has begun, and closes."""
        cycle = self.cycle
        if self.deaf:
            return
        if self._enough:
            self.deaf, self._whole, cycle.keep_alive = True, False, False
            return
        begun = cycle is not None and cycle.response_started and not cycle.response_complete
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
        if begun:
            self.transport.close()
            return
        self._whole = False
        self.transport.write(refusal(msg))
        self.linger()

    def linger(self) -> None:
        """Closes, but takes for a while what is still being sent: it would turn the answer into a reset."""
        if self.transport.is_closing():
            return
        self.deaf = True
        self.pipeline.clear()
        if self._whole:
            self.transport.close()
            self._wait(State.IDLE)  # for the answer to be taken
            return
        self.transport.write_eof()
        self.flow.resume_reading()
        self._wait(State.DRAIN)

    def pause_writing(self) -> None:
        """An answer is not taken as fast as it is made."""
        super().pause_writing()
        if self._state is State.ANSWER:
            self._wait(State.TAKE)
        if sum(each.transport.get_write_buffer_size() for each in self.connections) > self.limits.unsent:
            self.loop.call_soon(self.transport.abort)

    def resume_writing(self) -> None:
        """It is taken, all but a little."""
        super().resume_writing()
        if self._state is State.TAKE:
            self._end()
            self._state = State.ANSWER

    def shutdown(self) -> None:
        """The server stops: what was asked, or is on its way, is answered, then the connection ends."""
        self._stopping = True
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False
        elif not self.deaf and not self._begun and self._state in (State.HEAD, State.IDLE):
            self._wait(State.LAST)

    def _part(self, size: int, content: int, same: bool) -> None:
        """Of a request whose head is here."""
        if self._state is State.ANSWER:
            self._wait(State.BODY)
        fits = not same or self._framing.fits(size, content)
        if self._state is State.DRAIN:
            self.deaf = not fits  # the parser holds trailers
            self._drained(size)
        elif not fits:
            self.send_400_response("The body has too little content between its chunks.")

    def _drained(self, size: int) -> None:
        """Thrown away, up to as much as a body may have."""
        self._size += size
        if self._size > DRAINED * self.limits.body:
            self.transport.abort()

    def _make_place(self) -> None:
        """Spares those whose head may lie unread, as long as there are spare places."""
        over = len(self.connections) - self.limits.connections + 1
        before = self.loop.time() - (YOUNG_SECONDS if over < SPARE else 0.0)
        others = (each for each in self.connections if isinstance(each, Connection) and each is not self)
        waiting = [each for each in others if each.waits and each.since <= before]
        for each in sorted(waiting, key=lambda each: each.since)[:over]:
            self.connections.discard(each)
            each.transport.abort()

    def _wait(self, state: State) -> None:
        """A new state; one timer does for all whose time ends later than its own."""
        now = self.loop.time()
        self._state, self._since, self._size = state, now, 0
        self._end_at = end = now + self._seconds(state)
        if self._timer is not None and self._timer.when() > end:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self.loop.call_at(end, self._look)

    def _end(self) -> None:
        self._end_at = None

    def _seconds(self, state: State) -> float:
        limits = self.limits
        if state is State.HEAD:
            return limits.head_seconds
        if state is State.BODY:
            return limits.body_seconds + LATE_SECONDS
        if self.transport.get_write_buffer_size():
            return limits.answer_seconds
        if state is State.IDLE:
            return limits.idle_seconds
        return limits.drain_seconds if state is State.DRAIN else LAST_SECONDS

    def _look(self) -> None:
        """Whether the time is up, or another state has begun meanwhile."""
        self._timer = None
        if self._end_at is None:
            return
        if self._end_at > self.loop.time():
            self._timer = self.loop.call_at(self._end_at, self._look)
        elif self.transport.get_write_buffer_size() or self.deaf:
            self.transport.abort()
        else:
            self.transport.close()
