"""Connections with a time limit on every state and a limit on every byte received.

uvicorn has no timeout for a request's head, for the rest of an unread body, or for a response that the client does
not receive, and buffers what arrives meanwhile. Here a connection is in one of a few states, each with a deadline
that received bytes do not extend.
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
"""Largest size of a request line and its headers."""

HEADERS = 256
"""Largest number of headers of a request; each takes many times its size in memory."""

PIPELINED = 100
"""Largest number of pipelined requests before the first one is answered."""

DRAINED = 4
"""Limit of the bytes discarded after a response that did not need them, as a multiple of the body limit."""

SPARE = 64
"""Connections allowed beyond the limit, until one that has waited long enough can be closed."""

YOUNG_SECONDS = 0.5
"""Age in seconds below which the head of a new connection may be in transit or unread."""

LATE_SECONDS = 1.0
"""Time after a body's deadline for the application to respond with 408."""

LAST_SECONDS = 0.5
"""Time for a request in transit to arrive when the server stops."""


class State(Enum):
    """What a connection is waiting for."""

    HEAD = auto()
    BODY = auto()
    ANSWER = auto()
    TAKE = auto()
    IDLE = auto()
    DRAIN = auto()
    LAST = auto()


class Connection(HttpToolsProtocol):
    """An HTTP connection that is closed if it is too slow or sends too much, in any state.

    Args:
        limits: of the worker.
    """

    deaf = False
    """Whether received bytes are counted and discarded."""

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
        """Whether it waits for the client, and no response is being computed."""
        free = self.cycle is None or self.cycle.response_complete or self._state in (State.BODY, State.TAKE)
        return self._end_at is not None and free

    @property
    def since(self) -> float:
        """Start of the current state, by the event loop's clock."""
        return self._since

    def connection_made(self, transport: Any) -> None:
        """Starts to wait for a head; beyond the limit, closes the connection that has waited longest."""
        super().connection_made(transport)
        self._lingering = Lingering(self)
        self._wait(State.HEAD)
        if len(self.connections) >= self.limits.connections:
            self._make_place()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancels the timer."""
        self._end_at, self.deaf = None, True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        super().connection_lost(exc)
        if self.cycle is not None and self.cycle.response_complete:  # breaks a reference cycle
            self.cycle.transport = self.transport
        del self._lingering

    def on_message_begin(self) -> None:
        """Notes the first byte of the next head, whose deadline starts if the rest does not follow at once."""
        super().on_message_begin()
        self._begun = True

    def on_headers_complete(self) -> None:
        """Checks the completed head and starts the request."""
        if len(self.headers) > HEADERS:
            raise ValueError("too many headers")
        if len(self.pipeline) >= PIPELINED:  # these are answered, then the connection is closed
            self._enough = True
            raise ValueError("too many requests at once")
        self._end()
        self._state, self._begun, self._whole = State.ANSWER, False, False
        self._messages += 1
        self._framing.begin()
        super().on_headers_complete()
        self.headers = NOWHERE  # discards trailers
        self.cycle.transport = self._lingering  # type: ignore[assignment]
        if self._stopping:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Counts a part of the body and passes it on."""
        self._framing.content += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Marks the body as complete."""
        self._whole = True
        if self._state is State.BODY:
            self._end()
            self._state = State.ANSWER
        elif self._state is State.DRAIN and not self.deaf:
            self._wait(State.IDLE)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Starts to wait for the next request, or for the rest of the current one."""
        super().on_response_complete()
        self._unset_keepalive_if_required()  # uvicorn's keep-alive timer restarts with every byte
        if self._begun or self.deaf or self.transport.is_closing():
            return
        if self.cycle.response_complete:  # else a pipelined request has been started
            self._wait(State.IDLE if self._whole else State.DRAIN)

    def data_received(self, data: bytes) -> None:
        """Parses received bytes, and counts those that the parser does not pass on."""
        if self.deaf:
            self._drained(len(data))
            return
        messages, content, between = self._messages, self._framing.content, self._whole
        super().data_received(data)
        if self.transport.is_closing() or self.deaf:
            return
        if self._begun and self._state is not State.HEAD:
            self._wait(State.HEAD)
        alone = self._messages == messages  # all bytes belong to the current request
        if self._state is State.HEAD:
            self._size += len(data) if alone and between else 0
            if self._size > HEAD_BYTES or (self._begun and len(self.headers) > HEADERS):
                self.send_400_response("The head of the request is too long.")
        elif not self._whole:
            self._part(len(data), self._framing.content - content, alone)

    def send_400_response(self, msg: str) -> None:
        """Responds to malformed input, unless a response has begun, and closes."""
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
        """Closes, but first discards incoming bytes for a while: unread bytes would reset the connection."""
        if self.transport.is_closing():
            return
        self.deaf = True
        self.pipeline.clear()
        if self._whole:
            self.transport.close()
            self._wait(State.IDLE)  # for the client to receive the response
            return
        self.transport.write_eof()
        self.flow.resume_reading()
        self._wait(State.DRAIN)

    def pause_writing(self) -> None:
        """Starts the deadline of a response that the client does not receive as fast as it is written."""
        super().pause_writing()
        if self._state is State.ANSWER:
            self._wait(State.TAKE)
        if sum(each.transport.get_write_buffer_size() for each in self.connections) > self.limits.unsent:
            self.loop.call_soon(self.transport.abort)

    def resume_writing(self) -> None:
        """Ends that deadline, as the client has received nearly all of it."""
        super().resume_writing()
        if self._state is State.TAKE:
            self._end()
            self._state = State.ANSWER

    def shutdown(self) -> None:
        """Closes after the responses to all requests that have arrived or are in transit."""
        self._stopping = True
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False
        elif not self.deaf and not self._begun and self._state in (State.HEAD, State.IDLE):
            self._wait(State.LAST)

    def _part(self, size: int, content: int, same: bool) -> None:
        """Processes bytes of a request whose head is complete."""
        if self._state is State.ANSWER:
            self._wait(State.BODY)
        fits = not same or self._framing.fits(size, content)
        if self._state is State.DRAIN:
            self.deaf = not fits  # the parser would buffer trailers
            self._drained(size)
        elif not fits:
            self.send_400_response("The body has too little content between its chunks.")

    def _drained(self, size: int) -> None:
        """Counts discarded bytes, and aborts beyond a multiple of the body limit."""
        self._size += size
        if self._size > DRAINED * self.limits.body:
            self.transport.abort()

    def _make_place(self) -> None:
        """Closes the longest-waiting connections, but young ones only if no spare connection is left."""
        over = len(self.connections) - self.limits.connections + 1
        before = self.loop.time() - (YOUNG_SECONDS if over < SPARE else 0.0)
        others = (each for each in self.connections if isinstance(each, Connection) and each is not self)
        waiting = [each for each in others if each.waits and each.since <= before]
        for each in sorted(waiting, key=lambda each: each.since)[:over]:
            self.connections.discard(each)
            each.transport.abort()

    def _wait(self, state: State) -> None:
        """Enters a state; a timer that fires before the new deadline is kept."""
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
        """Closes if the deadline has passed, or restarts the timer if another state has begun."""
        self._timer = None
        if self._end_at is None:
            return
        if self._end_at > self.loop.time():
            self._timer = self.loop.call_at(self._end_at, self._look)
        elif self.transport.get_write_buffer_size() or self.deaf:
            self.transport.abort()
        else:
            self.transport.close()
