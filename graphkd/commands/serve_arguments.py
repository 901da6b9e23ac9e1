"""Arguments of ``graphkd serve``; few imports, since every command builds the parser."""

from __future__ import annotations

import argparse

from graphkd.deploy.server.settings import MIB, Limits

TOKEN = "GRAPHKD_TOKEN"
"""Name of the environment variable for the bearer token."""

OWN = Limits()


def serve_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command to a parser."""
    parser.add_argument(
        "run", metavar="RUN", help="folder made by graphkd distill, its bundle, or hf://OWNER/NAME"
    )
    parser.add_argument("--host", default="127.0.0.1", help="to listen on; by default this machine alone can ask")
    parser.add_argument(
        "--allowed-host", metavar="NAME", action="append", default=[],
        help="that requests may name in their header Host, beside what is listened on; again for more, * for all",
    )  # fmt: skip
    parser.add_argument("--port", type=int, default=8000, help="to listen on; 0 takes a free one")
    parser.add_argument("--workers", metavar="N", type=int, default=1, help="processes that answer; 1 by default")
    parser.add_argument(
        "--runtime",
        default="auto",
        metavar="NAME",
        help="native, native-int8, onnx, onnx-int8, numpy, or auto: the first that works",
    )
    parser.add_argument("--store", metavar="DIR", help="a FeatureStore of the student, to answer by node id")
    parser.add_argument("--name", help="of the model in /v2/models/NAME; by default that of the run's folder")
    parser.add_argument(
        "--token-file", metavar="FILE", help=f"holds a bearer token that requests must bring; or set {TOKEN}"
    )
    parser.add_argument(
        "--access-log", action="store_true", help="write a line of JSON for every request to the standard output"
    )
    parser.add_argument(
        "--batch-ms", metavar="MS", type=float, default=0.0,
        help="that a row may wait for rows of other requests to be computed with; by default none waits",
    )  # fmt: skip
    parser.add_argument(
        "--max-body-mib", metavar="MIB", type=float, default=OWN.body / MIB, help="of a request; 8 by default"
    )
    parser.add_argument(
        "--max-rows", metavar="N", type=int, default=OWN.rows, help="of a request; 4096 by default"
    )
    parser.add_argument(
        "--max-waiting-rows", metavar="N", type=int, default=OWN.rows_waiting, help="per worker; 16384 by default"
    )
    parser.add_argument(
        "--max-requests", metavar="N", type=int, default=OWN.requests, help="at a time per worker; 256 by default"
    )
