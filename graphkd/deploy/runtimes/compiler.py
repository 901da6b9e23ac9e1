"""C files → a shared library in the cache folder, by the C compiler that is there."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from graphkd.atomic_io import default_cache_dir, sha256
from graphkd.deploy.runtimes.libraries import find, keep, private_folder
from graphkd.drafts import draft_folder
from graphkd.errors import GraphKDError

LONGEST = 600
"""Seconds that a compiler may take: the largest student that is written as C takes one or two minutes."""

FLAGS = ("-O3", "-std=c99", "-ffp-contract=fast", "-fPIC", "-shared")


def shared_library(identity: bytes, files: Callable[[], Mapping[str, bytes]]) -> Path:
    """Compiles ``student.c``, or finds what it was compiled to before.

    The name in the cache says what it was made from: the files, the flags, and all macros that the compiler
    defines, which name its version and the instructions of this machine; and what it holds. A library that is
    damaged, or somebody else's, is made again.

    Args:
        identity: equal for equal files only.
        files: gives name → content; the header is beside the source.

    Returns:
        The library; written under another name and renamed.

    Raises:
        GraphKDError: there is no compiler, it fails, or the cache folder cannot be written to.
    """
    compiler, root = _compiler(), default_cache_dir()
    target, macros = _target(compiler)
    key = sha256(b"\0".join([identity, macros, *(flag.encode() for flag in (*FLAGS, *target))]))
    try:
        folder = private_folder(root, "native")
        return find(folder, key) or _build([*compiler, *FLAGS, *target], files(), folder, key)
    except OSError as error:
        raise GraphKDError(
            f"{root / 'native'} cannot be written to ({error.strerror}): set GRAPHKD_CACHE to a folder that can"
        ) from None


def _compiler() -> list[str]:
    """``$CC``, which may have arguments, else ``cc``."""
    given = os.environ.get("CC") or "cc"
    try:
        command = shlex.split(given)
    except ValueError as error:
        raise GraphKDError(f"CC is {given!r}, which is no command ({error}): set it to a C compiler") from None
    if not command or shutil.which(command[0]) is None:
        raise GraphKDError(
            f"the native runtime needs a C compiler, and there is no {command[0] if command else 'cc'}: install "
            "one, set CC to it, or load the bundle with runtime='onnx' or 'numpy'"
        )
    return command


def _target(compiler: list[str]) -> tuple[list[str], bytes]:
    """The flag that asks for this machine's instructions, where the compiler knows it, and its macros."""
    for flags in (["-march=native"], []):
        asked = [*compiler, *flags, "-dM", "-E", "-x", "c", os.devnull]
        done = _run(asked, None)
        if done.returncode == 0 and done.stdout:
            return flags, done.stdout
    raise GraphKDError(f"{compiler[0]} is no working C compiler ({_first_line(done.stderr)}): set CC to one")


def _build(command: list[str], files: Mapping[str, bytes], folder: Path, key: str) -> Path:
    with draft_folder(folder / key) as draft:
        for file, content in files.items():
            (draft / file).write_bytes(content)
        asked = [*command, "student.c", "-o", "student.so", "-lm"]
        done = _run(asked, draft)
        if done.returncode != 0 or not (draft / "student.so").is_file():
            raise GraphKDError(
                f"{command[0]} could not compile the student ({_first_line(done.stderr)}): set CC to another "
                "compiler, or load the bundle with runtime='onnx' or 'numpy'"
            )
        return keep(draft / "student.so", folder, key)


def _run(command: list[str], folder: Path | None) -> subprocess.CompletedProcess[bytes]:
    """Runs the compiler, without input and not for ever.

    Raises:
        GraphKDError: it cannot be started, or does not end.
    """
    try:
        return subprocess.run(
            command, cwd=folder, capture_output=True, check=False, stdin=subprocess.DEVNULL, timeout=LONGEST
        )
    except subprocess.TimeoutExpired:
        raise GraphKDError(f"{command[0]} did not end in {LONGEST} s: set CC to a C compiler") from None
    except OSError as error:
        raise GraphKDError(f"{command[0]} cannot be run ({error.strerror}): set CC to a C compiler") from None


def _first_line(text: bytes) -> str:
    return next(iter(text.decode(errors="replace").strip().splitlines()), "without a word")
