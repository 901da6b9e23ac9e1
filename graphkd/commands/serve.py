"""``graphkd serve``."""

from __future__ import annotations

import argparse
import ipaddress
import math
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from graphkd.commands.serve_arguments import OWN, TOKEN
from graphkd.deploy.files import holds_links, read_bundle
from graphkd.deploy.hub import Address, is_address
from graphkd.deploy.server.hosts import Hosts
from graphkd.deploy.server.runtime_choice import name_of, runtime_of, scores_of
from graphkd.deploy.server.settings import MIB, Limits, Settings, Token
from graphkd.errors import GraphKDError

if TYPE_CHECKING:
    import socket


def serve(args: argparse.Namespace) -> None:
    """Serves predictions over HTTP until stopped by a signal.

    Args:
        args: parsed arguments of ``serve_arguments``.

    Raises:
        GraphKDError: not a run, a missing package, or an invalid argument.
    """
    _check_packages()
    from graphkd.deploy.server.run import listening, run

    limits = _limits(args)
    if not 0 <= args.port <= 65535:
        raise GraphKDError(f"--port is {args.port}: give a whole number from 0 to 65535")
    if not 1 <= args.workers <= 256:
        raise GraphKDError(f"--workers is {args.workers}: give a whole number from 1 to 256")
    if not 0 <= args.batch_ms <= 1000:
        raise GraphKDError(f"--batch-ms is {args.batch_ms}: give milliseconds from 0 to 1000")
    folder, runtime = _served(args)
    home = Path(Address.of(args.run).repo) if is_address(args.run) else folder
    settings = Settings(
        folder,
        runtime,
        name_of(home, args.name),
        scores_of(folder),
        args.store,
        args.batch_ms / 1000,
        _token(args.token_file),
        limits,
        access_log=args.access_log,
    )
    _check(settings)
    bound = listening(args.host, args.port)
    settings = replace(settings, hosts=Hosts.of(args.host, bound.getsockname()[0], args.allowed_host))
    print(_told(settings, bound, args.workers), flush=True)
    if settings.token is None and not ipaddress.ip_address(bound.getsockname()[0]).is_loopback:
        print(
            f"graphkd: warning: whoever reaches {args.host} may ask: set {TOKEN} or --token-file", file=sys.stderr
        )
    run(settings, bound, args.workers)


def _served(args: argparse.Namespace) -> tuple[Path, str]:
    """Returns the folder of the bundle, and the runtime: torch for links."""
    if not holds_links(args.run):
        bundle = read_bundle(args.run)
        return bundle.folder, runtime_of(bundle, args.runtime)
    for name, given, only in (("runtime", args.runtime, "auto"), ("store", args.store, None)):
        if given != only:
            raise GraphKDError(f"--{name} is for students of nodes, and {args.run} scores pairs: leave it out")
    inside = Path(args.run) / "bundle"
    return inside if inside.is_dir() else Path(args.run), "torch"


def _check_packages() -> None:
    """Checks, before anything else, that the server's packages are installed."""
    try:
        from graphkd.deploy.server import run  # noqa: F401
    except ModuleNotFoundError as error:
        raise GraphKDError(
            f"graphkd serve needs {error.name}, which is not installed: pip install 'graphkd[serve]'"
        ) from None


def _limits(args: argparse.Namespace) -> Limits:
    names = ("max_rows", "max_waiting_rows", "max_requests", "max_body_mib")
    for name in names:
        value = getattr(args, name)
        if not 0 < value < math.inf:
            raise GraphKDError(f"--{name.replace('_', '-')} is {value}: give a number above 0")
    return Limits(
        body=int(args.max_body_mib * MIB),
        rows=args.max_rows,
        rows_waiting=max(args.max_waiting_rows, args.max_rows),
        requests=args.max_requests,
        bytes_waiting=max(OWN.bytes_waiting, int(2 * args.max_body_mib * MIB)),
    )


def _token(file: str | None) -> Token | None:
    """Reads the token from the file, else the environment; not from arguments, which other users can read."""
    if file is None:
        text = os.environ.get(TOKEN)
        if text is None:
            return None
        where = TOKEN
    else:
        where = file
        try:
            text = Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise GraphKDError(f"{file} cannot be read ({error}): give a file that holds the token") from None
    text = text.strip()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise GraphKDError(f"{where} holds no token: give one word of printable ASCII")
    return Token.of(text)


def _check(settings: Settings) -> None:
    """Loads the model once, to report its errors before any worker starts."""
    if holds_links(settings.bundle):
        from graphkd.links.bundle import load_predictor

        load_predictor(settings.bundle)
        return
    from graphkd.deploy.server.model_state import ModelState

    ModelState(settings)


def _told(settings: Settings, bound: socket.socket, workers: int) -> str:
    host, port = bound.getsockname()[:2]
    url_host = f"[{host}]" if ":" in host else host
    plural = "" if workers == 1 else "s"
    return f"{settings.name} ({settings.runtime}, {workers} worker{plural}): http://{url_host}:{port}"
