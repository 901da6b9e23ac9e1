"""What ``server.py`` sends."""

from __future__ import annotations

TOKEN = "s3cret"
LET_IN = f"Host: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
JSON = "Content-Type: application/json\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"
HUGE = "Content-Length: 999999999999\r\n"
BLOCK = 2**16


def post(path: str, *lines: str) -> bytes:
    """A head whose body is still to come."""
    return "".join([f"POST {path} HTTP/1.1\r\nHost: localhost\r\n", *lines, "\r\n"]).encode()


def get(lines: str = "Host: localhost\r\n", path: str = "/v2/health/ready") -> bytes:
    return f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode()


IN = post("/predict", LET_IN.partition("\r\n")[2], JSON, CHUNKED)
OUT = post("/predict", JSON, CHUNKED)
CHUNK = b"10000\r\n" + b" " * BLOCK + b"\r\n"
TRAILERS = b"".join(b"x%d: y\r\n" % number for number in range(8000))

BYTES: dict[str, tuple[bytes, bytes]] = {
    "trailers": (OUT + b"0\r\n", TRAILERS),
    "one endless trailer": (OUT + b"0\r\nx: ", b"y" * BLOCK),
    "trailers of a body, with the token": (IN + b"1\r\n \r\n0\r\n", TRAILERS),
    "one endless trailer, with the token": (IN + b"1\r\n \r\n0\r\nx: ", b"y" * BLOCK),
    "an extension of a chunk": (OUT + b"1;", b"x" * BLOCK),
    "an extension of a chunk, with the token": (IN + b"1;", b"x" * BLOCK),
    "extensions of many chunks, with the token": (IN, b"1;" + b"x" * 30000 + b"\r\n \r\n"),
    "a body of chunks after 401": (OUT, CHUNK),
    "a body of a stated length after 401": (post("/predict", JSON, HUGE), b" " * BLOCK),
    "a body after 404": (post("/none", LET_IN.partition("\r\n")[2], HUGE), b" " * BLOCK),
    "a body after 405": (post("/card", LET_IN.partition("\r\n")[2], HUGE), b" " * BLOCK),
    "a body after 413": (post("/predict", LET_IN.partition("\r\n")[2], JSON, HUGE), b" " * BLOCK),
    "a body after 415": (
        post("/predict", LET_IN.partition("\r\n")[2], "Content-Type: x/y\r\n", HUGE),
        b" " * BLOCK,
    ),
    "a body of a page": (post("/", HUGE).replace(b"POST", b"GET"), b" " * BLOCK),
    "a head": (b"GET / HTTP/1.1\r\nx: ", b"y" * BLOCK),
    "many headers": (b"GET / HTTP/1.1\r\n", b"a:b\r\n" * 13000),
    "many requests at once": (b"", get() * 1200),
    "many answers that are not taken": (b"", get(LET_IN, "/openapi.json") * 400),
    "empty lines": (b"", b"\r\n" * (BLOCK // 2)),
    "noise after a request": (get(), b"\xff" * BLOCK),
}
"""What is sent first, and what then without an end."""

DRIP: dict[str, tuple[bytes, bytes]] = {
    "nothing": (b"", b""),
    "a head": (b"GET / HTTP/1.1\r\nx: ", b"y"),
    "empty lines": (b"", b"\r\n"),
    "empty lines after a request": (get(), b"\r\n"),
    "a body after 401": (post("/predict", JSON, HUGE), b" "),
    "chunks after 401": (OUT, b"1\r\n \r\n"),
    "trailers after 401": (OUT + b"0\r\nx: ", b"y"),
    "a body after 404": (post("/none", LET_IN.partition("\r\n")[2], HUGE), b" "),
    "a body after 413": (post("/predict", LET_IN.partition("\r\n")[2], JSON, HUGE), b" "),
    "a body with the token": (IN, b"1\r\n \r\n"),
    "answers that are not taken": (get(LET_IN, "/openapi.json") * 3, b""),
    "noise": (b"\xff\xff", b"\xff"),
}
"""What many connections send first, and then a little of each two seconds."""

HOSTS = (
    "evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example",
    "evil.example#localhost", "localhost@evil.example", "10.0.0.1", "[2001:db8::1]", "0x7f.evil.example", "",
    "a b", "[::1", "localhost:x", "x" * 300, "xn--9ca", "..", "127.0.0.1, evil.example",
)  # fmt: skip
