"""Compilation of C files to a shared library in the cache folder, with the installed C compiler."""

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
"""Timeout of the compiler in seconds: the largest student exported as C takes one or two minutes."""

FLAGS = ("-O3", "-std=c99", "-ffp-contract=fast", "-fPIC", "-shared")


def shared_library(identity: bytes, files: Callable[[], Mapping[str, bytes]]) -> Path:
    """Compiles ``student.c``, or returns the library from the cache.

    The name in the cache is a digest of the inputs (the files, the flags, and all macros that the compiler
    defines, which cover its version and the machine's instruction set) and one of the library's content. A
    library that is damaged, or owned by another user, is recompiled.

    Args:
        identity: equal only for equal files.
        files: returns name → content; called only if the library is compiled. The header is in the same folder.

    Returns:
        Path of the library, which is written under a temporary name and renamed.

    Raises:
        GraphKDError: there is no compiler, it fails, or the cache folder is not writable.
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
    """Returns the command ``$CC``, which may contain arguments, or ``cc``."""
    value = os.environ.get("CC") or "cc"
    try:
        command = shlex.split(value)
    except ValueError as error:
        raise GraphKDError(f"CC is {value!r}, which is no command ({error}): set it to a C compiler") from None
    if not command or shutil.which(command[0]) is None:
        raise GraphKDError(
            f"the native runtime needs a C compiler, and there is no {command[0] if command else 'cc'}: install "
            "one, set CC to it, or load the bundle with runtime='onnx' or 'numpy'"
        )
    return command


def _target(compiler: list[str]) -> tuple[list[str], bytes]:
    """Returns the flag that selects the machine's instruction set, if the compiler supports it, and its macros."""
    for flags in (["-march=native"], []):
        command = [*compiler, *flags, "-dM", "-E", "-x", "c", os.devnull]
        result = _run(command, None)
        if result.returncode == 0 and result.stdout:
            return flags, result.stdout
    raise GraphKDError(f"{compiler[0]} is no working C compiler ({_first_line(result.stderr)}): set CC to one")


def _build(command: list[str], files: Mapping[str, bytes], folder: Path, key: str) -> Path:
    with draft_folder(folder / key) as draft:
        for file, content in files.items():
            (draft / file).write_bytes(content)
        arguments = [*command, "student.c", "-o", "student.so", "-lm"]
        result = _run(arguments, draft)
        if result.returncode != 0 or not (draft / "student.so").is_file():
            raise GraphKDError(
                f"{command[0]} could not compile the student ({_first_line(result.stderr)}): set CC to another "
                "compiler, or load the bundle with runtime='onnx' or 'numpy'"
            )
        return keep(draft / "student.so", folder, key)


def _run(command: list[str], folder: Path | None) -> subprocess.CompletedProcess[bytes]:
    """Runs the compiler, with empty standard input and a timeout.

    Raises:
        GraphKDError: it cannot be started, or does not end in time.
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
