"""Requests that cannot be right, as bytes: drawn by a seed, no two alike."""

from __future__ import annotations

import gzip
import json
import random
import string
from collections.abc import Callable, Iterator
from typing import Any

HEADER = "Inference-Header-Content-Length"

ODD: tuple[Any, ...] = (
    None, True, False, "", "1", "NaN", [], {}, [[]], [None], -1, 2**63, 2**70, -(2**70), 1e39, 1e308, 0.5, "\x00",
    "😀", "'; DROP TABLE x; --", "../../etc/passwd", "%s%n", [[[[1]]]], {"a": {"a": {}}}, "x" * 5000,
)  # fmt: skip

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD", "CONNECT", "FOO", "get", "")
PATHS = (
    "/",
    "/predict",
    "/v2",
    "/v2/models/{m}",
    "/v2/models/{m}/infer",
    "/card",
    "/metrics",
    "/docs",
    "/openapi.json",
)
ODD_PATHS = (
    "//", "/../../etc/passwd", "/v2/models/%00/infer", "/v2/models/%ff%fe/infer", "/v2/models//infer", "*", "",
    "/predict/", "/predict?x=%", "/%2e%2e/%2e%2e", "/" + "a" * 3000, "http://x/predict",
    "/\x01", "/é", "/v2/models/" + "%41" * 500,
)  # fmt: skip


class Malformed:
    """Draws requests for a server.

    Args:
        name: of its model.
        width: of a row.
        seed: of the draw.
    """

    def __init__(self, name: str, width: int, seed: int = 0) -> None:
        self.name, self.width, self.rng = name, width, random.Random(seed)

    def draw(self) -> Iterator[bytes]:
        """One after the other, without an end."""
        kinds: tuple[Callable[[], bytes], ...] = (
            self.people, self.infer, self.infer, self.bytes_after, self.cut, self.flipped, self.noise, self.head,
            self.lengths, self.chunks, self.deep, self.packed, self.path,
        )  # fmt: skip
        while True:
            yield self.rng.choice(kinds)()

    def right(self) -> dict[str, Any]:
        """A body of ``/predict`` that is answered."""
        return {"rows": [[self.rng.random() for _ in range(self.width)] for _ in range(self.rng.randint(1, 3))]}

    def tensor(self) -> dict[str, Any]:
        """A tensor that is answered."""
        rows = self.right()["rows"]
        return {"name": "rows", "shape": [len(rows), self.width], "datatype": "FP32", "data": rows}

    def post(
        self, path: str, body: bytes, *lines: str, kind: str = "application/json", length: object = None
    ) -> bytes:
        """A request with a body."""
        size = len(body) if length is None else length
        own = ["Host: localhost", f"Content-Type: {kind}", f"Content-Length: {size}"]
        head = [f"POST {path} HTTP/1.1", *own, *lines]
        return "\r\n".join([*head, "", ""]).encode("utf-8", "surrogateescape") + body

    def spoiled(self, value: Any) -> Any:
        """A value with something odd put in the place of one of its parts."""
        if isinstance(value, dict) and value and self.rng.random() < 0.85:
            key = self.rng.choice(list(value))
            choice = self.rng.random()
            if choice < 0.15:
                return {name: each for name, each in value.items() if name != key}
            if choice < 0.25:
                return {**value, key + self.rng.choice("sx_ "): value[key]}
            return {**value, key: self.spoiled(value[key])}
        if isinstance(value, list) and value and self.rng.random() < 0.85:
            place = self.rng.randrange(len(value))
            if self.rng.random() < 0.2:
                return value[:place] + value[place + 1 :]
            return [*value[:place], self.spoiled(value[place]), *value[place + 1 :]]
        return self.rng.choice(ODD)

    def people(self) -> bytes:
        """``/predict`` with a part that is odd."""
        return self.post("/predict", _text(self.spoiled(self.right())))

    def infer(self) -> bytes:
        """``/infer`` likewise."""
        whole = {
            "id": "1",
            "parameters": {"binary_data_output": True},
            "inputs": [self.tensor()],
            "outputs": [{"name": "probabilities", "parameters": {"binary_data": False}}],
        }
        return self.post(self._infer, _text(self.spoiled(whole)))

    def bytes_after(self) -> bytes:
        """Bytes after the JSON, with a size, a shape or a header that lies."""
        tensor = self.tensor()
        content = self.rng.randbytes(4 * self.width * tensor["shape"][0])
        del tensor["data"]
        tensor["parameters"] = {"binary_data_size": self.rng.choice([len(content), *ODD])}
        tensor["datatype"] = self.rng.choice(["FP32", "FP64", "INT8", "BYTES", "BOOL", "BF16", "UINT64"])
        head = _text({"inputs": [tensor]})
        size = self.rng.choice([len(head), len(head) + 1, 0, -1, 10**9, "x", 2**64, len(head) + len(content)])
        return self.post(self._infer, head + content, f"{HEADER}: {size}", kind="application/octet-stream")

    def cut(self) -> bytes:
        """A right body that ends too early, and says so."""
        body = _text(self.right())
        return self.post("/predict", body[: self.rng.randrange(len(body))])

    def flipped(self) -> bytes:
        """A right request with a few bytes that are not."""
        content = bytearray(self.post("/predict", _text(self.right())))
        for _ in range(self.rng.randint(1, 8)):
            content[self.rng.randrange(len(content))] = self.rng.randrange(256)
        return bytes(content)

    def noise(self) -> bytes:
        """Anything."""
        return self.rng.randbytes(self.rng.randint(1, 4000))

    def head(self) -> bytes:
        """A head that is odd."""
        line = f"{self.rng.choice(METHODS)} {self.rng.choice(PATHS + ODD_PATHS).format(m=self.name)} "
        line += self.rng.choice(["HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/9", "http", ""])
        names = [
            "Host",
            "Content-Length",
            "Transfer-Encoding",
            "Expect",
            "Upgrade",
            "Connection",
            "X" * 300,
            "",
            "A B",
        ]
        values = ["x", "chunked", "100-continue", "websocket", "upgrade", "-1", "\x00", "é", "y" * 9000, "", "h2c"]
        lines = [f"{self.rng.choice(names)}: {self.rng.choice(values)}" for _ in range(self.rng.randint(0, 6))]
        return self.rng.choice(["\r\n", "\n"]).join([line, *lines, "", ""]).encode()

    def lengths(self) -> bytes:
        """A length that is not the body's."""
        body = _text(self.right())
        return self.post(
            "/predict", body, length=self.rng.choice([0, 1, len(body) - 1, -1, "x", 2**63, 2**80, "1, 1", ""])
        )

    def chunks(self) -> bytes:
        """Chunks whose sizes lie."""
        body, parts = _text(self.right()), []
        size = self.rng.choice(
            [f"{len(body):x}", "-1", "g", "f" * 20, "0", f"{len(body) - 3:x}", f"{len(body):x};x=y"]
        )
        parts.append(
            f"{size}\r\n".encode() + body + self.rng.choice([b"\r\n0\r\n\r\n", b"", b"\r\n", b"0\r\n\r\n"])
        )
        head = [
            "POST /predict HTTP/1.1",
            "Host: localhost",
            "Content-Type: application/json",
            "Transfer-Encoding: chunked",
        ]
        return "\r\n".join([*head, "", ""]).encode() + b"".join(parts)

    def deep(self) -> bytes:
        """Brackets in brackets, long numbers, long texts, the same key again and again."""
        times = self.rng.choice([100, 1000, 50_000])
        body = self.rng.choice([
            b"[" * times, b'{"rows":' * times, b'{"rows":[[' + b"9" * times + b"]]}",
            b'"' + b"\\u0000" * times + b'"', b'{"inputs":[' + b'{"name":"rows"},' * times + b"1]}",
            b'{"id":"1",' + b'"id":"1",' * times + b'"id":1}', b'{"rows":[[1e' + b"9" * times + b"]]}",
            b"-" * times, b" " * times, b'{"rows":[[' + b"0," * times + b"0]]}",
        ])  # fmt: skip
        return self.post(self.rng.choice(["/predict", self._infer]), body)

    def packed(self) -> bytes:
        """Content that should be unpacked, or is of another kind."""
        kind = self.rng.choice(
            ["application/json", "text/xml", "multipart/form-data; boundary=x", "é", "", "application/x"]
        )
        packed = gzip.compress(b" " * self.rng.choice([10, 10**6]))
        lines = [f"Content-Encoding: {self.rng.choice(['gzip', 'br', 'deflate, gzip', 'x'])}"] * self.rng.randint(
            0, 1
        )
        return self.post(self.rng.choice(["/predict", self._infer]), packed, *lines, kind=kind)

    def path(self) -> bytes:
        """A path, a model or a version that is not there."""
        name = "".join(self.rng.choices(string.printable.replace(" ", "")[:94], k=self.rng.randint(1, 30)))
        path = self.rng.choice(
            [f"/v2/models/{name}/infer", f"/{name}", f"/v2/models/{self.name}/versions/{name}/infer"]
        )
        return self.post(path, _text({"inputs": [self.tensor()]}))

    @property
    def _infer(self) -> str:
        return f"/v2/models/{self.name}/infer"


def _text(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")
