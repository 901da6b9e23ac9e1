"""Requests with their right answers, sent over kept connections by one process; every answer is compared."""

from __future__ import annotations

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import graphkd
from graphkd.deploy.server.inference import HEADER


@dataclass
class Ask:
    """A request and what must come back.

    Args:
        kind: such as ``json 64``.
        content: the request's bytes, head and body.
        answer: body of the right answer, but for the time that it took.
    """

    kind: str
    content: bytes
    answer: bytes


@dataclass
class Tally:
    """Seconds of each answered request by kind, and what went wrong."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def add(self, kind: str, seconds: float) -> None:
        self.seconds.setdefault(kind, []).append(seconds)


def asks(bundle: Path, name: str, runtime: str, rows: np.ndarray, count: int = 40) -> dict[str, list[Ask]]:
    """Requests of 1 and of 64 rows by kind: people's JSON, the protocol's JSON, and bytes."""
    model, rng = graphkd.load_bundle(bundle, runtime), np.random.default_rng(0)
    found: dict[str, list[Ask]] = {}
    for size in (1, 64):
        for _ in range(count):
            x = rows[rng.integers(0, len(rows), size)]
            logits = model.logits(x)
            proba, classes = model.engine.softmax(logits), logits.argmax(axis=1)
            body = json.dumps({"rows": x.tolist()}).encode()
            listed = [
                {"class": int(c), "probability": row[c], "probabilities": row}
                for c, row in zip(classes, proba.tolist(), strict=True)
            ]
            text = json.dumps({"model": name, "runtime": runtime, "predictions": listed}, separators=(",", ":"))
            answer = text[:-1].encode()  # before ,"milliseconds":…}
            found.setdefault(f"people {size}", []).append(Ask(f"people {size}", _post("/predict", body), answer))
            tensor = {"name": "rows", "shape": list(x.shape), "datatype": "FP32"}
            wanted = {"outputs": [{"name": "probabilities"}]}
            body = json.dumps({"inputs": [{**tensor, "data": x.ravel().tolist()}], **wanted}).encode()
            out = {"name": "probabilities", "shape": list(proba.shape), "datatype": "FP32"}
            answer = json.dumps(
                {"model_name": name, "model_version": "1", "outputs": [{**out, "data": proba.ravel().tolist()}]},
                separators=(",", ":"),
            ).encode()
            path = f"/v2/models/{name}/infer"
            found.setdefault(f"json {size}", []).append(Ask(f"json {size}", _post(path, body), answer))
            raw = x.astype("<f4").tobytes()
            asked = {"inputs": [{**tensor, "parameters": {"binary_data_size": len(raw)}}]}
            asked["outputs"] = [{"name": "probabilities", "parameters": {"binary_data": True}}]
            head = json.dumps(asked).encode()
            found.setdefault(f"bytes {size}", []).append(
                Ask(f"bytes {size}", _post(path, head + raw, len(head)), proba.astype("<f4").tobytes())
            )
    return found


def _post(path: str, body: bytes, json_bytes: int | None = None) -> bytes:
    kind, more = ("application/json", "")
    if json_bytes is not None:
        kind, more = "application/octet-stream", f"{HEADER}: {json_bytes}\r\n"
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
    head += f"{more}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def sent(
    port: int, chosen: list[Ask], seconds: float, connections: int, stop: asyncio.Event | None = None
) -> Tally:
    """Sends until the time is up: each connection its next request when it has the last one's answer.

    Args:
        port: on loopback.
        chosen: drawn from, each time anew.
        seconds: in all.
        connections: at a time.
        stop: ends it sooner.
    """
    tally, end = Tally(), time.monotonic() + seconds
    stop = stop or asyncio.Event()
    await asyncio.gather(*(_one(port, chosen, end, tally, stop, seed) for seed in range(connections)))
    return tally


async def _one(port: int, chosen: list[Ask], end: float, tally: Tally, stop: asyncio.Event, seed: int) -> None:
    rng = random.Random(seed)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
    while time.monotonic() < end and not stop.is_set():
        ask = rng.choice(chosen)
        begin = time.perf_counter()
        try:
            writer.write(ask.content)
            status, body = await answered(reader)
        except (OSError, asyncio.IncompleteReadError) as error:
            tally.errors.append(f"{ask.kind}: {error!r}")
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
            continue
        tally.add(ask.kind, time.perf_counter() - begin)
        if status != 200:
            tally.errors.append(f"{ask.kind}: {status} {body[:200]!r}")
        elif not right(ask, body):
            tally.errors.append(f"{ask.kind}: another answer than it should be")
    writer.close()


async def answered(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of the next response, whole."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return int(head[9:12]), await reader.readexactly(int(length[15:]))


def right(ask: Ask, body: bytes) -> bool:
    """Whether it is the right answer, to the bit."""
    if ask.kind.startswith("bytes"):
        return body.endswith(ask.answer) and body[-len(ask.answer) - 1 : -len(ask.answer)] == b"}"
    return body.startswith(ask.answer)
