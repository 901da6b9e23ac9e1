"""C files → a shared library in the cache folder, by the C compiler that is there."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from graphkd.deploy.runtimes.libraries import find, keep, private_folder
from graphkd.drafts import draft_folder
from graphkd.errors import GraphKDError
from graphkd.storage import default_cache_dir, sha256

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
    command = shlex.split(os.environ.get("CC") or "cc")
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
        done = subprocess.run(asked, capture_output=True, check=False)
        if done.returncode == 0:
            return flags, done.stdout
    raise GraphKDError(f"{compiler[0]} is no working C compiler ({_first_line(done.stderr)}): set CC to one")


def _build(command: list[str], files: Mapping[str, bytes], folder: Path, key: str) -> Path:
    with draft_folder(folder / key) as draft:
        for file, content in files.items():
            (draft / file).write_bytes(content)
        asked = [*command, "student.c", "-o", "student.so", "-lm"]
        done = subprocess.run(asked, cwd=draft, capture_output=True, check=False)
        if done.returncode != 0 or not (draft / "student.so").is_file():
            raise GraphKDError(
                f"{command[0]} could not compile the student ({_first_line(done.stderr)}): set CC to another "
                "compiler, or load the bundle with runtime='onnx' or 'numpy'"
            )
        return keep(draft / "student.so", folder, key)


def _first_line(text: bytes) -> str:
    return next(iter(text.decode(errors="replace").strip().splitlines()), "without a word")
