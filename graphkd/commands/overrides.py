"""What a user writes after ``graphkd distill``: checked, quoted for Hydra, and made a folder's name."""

from __future__ import annotations

import itertools
import re

from graphkd.atomic_io import sha256
from graphkd.config import groups, names_in
from graphkd.errors import GraphKDError

FLAGS = ("-m", "--multirun", "-c", "--cfg", "--resolve", "-i", "--info", "-cd", "--config-dir", "-h", "--help")
INFO = ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")

PATHS = ("data_dir", "output_dir", "cache_dir", "dataset.path")
"""Keys whose values are paths: texts of any kind, in which nothing but commas and quotes means anything."""

HYDRAS_FOLDERS = ("hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir", "hydra.output_subdir")

LONGEST_NAME = 200
"""Bytes of a folder's name; file systems take 255, drafts put some before and after it."""

_NO_NAME = re.compile(r"[\[{].*|[-+.\d][-+.\d_e]*|true|false|null|", re.IGNORECASE)
"""What a group cannot be: lists, mappings, numbers, truth values, nothing."""

_UNQUOTED = re.compile(r"[\w/\-+.%*@?|: ]*", re.ASCII)
"""What Hydra takes as a text without quotes."""

_HYDRAS = re.compile(r"""['"\\()\[\]{}]""")
"""What is in values that are written for Hydra: quoted, escaped, lists, interpolations, functions."""


def check_overrides(args: list[str]) -> None:
    """Refuses what Hydra would answer with its usage, many lines long, or with a traceback.

    Raises:
        GraphKDError: a flag or a group that there is not, or a folder that is set in Hydra's way.
    """
    for flag, value in itertools.zip_longest(args, args[1:], fillvalue=""):
        if flag in ("--cfg", "-c") and value not in ("job", "hydra", "all"):
            raise GraphKDError(f"{flag} {value}: choose job, hydra or all")
        group, sign, name = flag.partition("=")
        if sign and group in groups() and any(_NO_NAME.fullmatch(part.strip()) for part in name.split(",")):
            raise GraphKDError(f"{group} is {name or 'empty'}: choose one of {', '.join(names_in(group))}")
        if group.lstrip("+~") in HYDRAS_FOLDERS:
            raise GraphKDError(f"{group} has no effect: the folder of a run, or of all with -m, is output_dir=DIR")
        if flag.startswith("="):
            raise GraphKDError(f"{flag} sets no key: write KEY=VALUE")
        if flag in ("--info", "-i") and value and not value.startswith("-") and value not in INFO:
            raise GraphKDError(f"{flag} {value}: choose one of {', '.join(INFO)}")
        if flag.startswith("-") and flag.partition("=")[0] not in FLAGS:
            raise GraphKDError(f"unknown flag {flag}: there are {', '.join(FLAGS)}; keys are set with KEY=VALUE")


def quoted(arg: str) -> str:
    """Returns an override that Hydra can parse: each path, between commas, in quotes where it needs them."""
    key, sign, value = arg.partition("=")
    if not sign or key.lstrip("+") not in PATHS or _HYDRAS.search(value):
        return arg
    paths = [path if _UNQUOTED.fullmatch(path) else f"'{path}'" for path in value.split(",")]
    return f"{key}={','.join(paths)}"


def folder_name(overrides: str) -> str:
    """Returns a job's folder by its overrides: as they are, but for ``/`` and what is too long for a file system.

    Such a name ends with a checksum of the overrides, so that two jobs never share a folder; but for ``/`` in the
    name of a config, such as ``experiment=infgrand/cora``, which leaves names different.
    """
    name = overrides.replace("/", "_")
    unique = "/" not in re.sub(rf"(^|,)({'|'.join(groups())})=[^,]*", "", overrides)
    return name if unique and len(name.encode()) <= LONGEST_NAME else _cut(name, overrides)


def short_name(name: str) -> str:
    """Returns a folder's name that is not too long for a file system, in the same way."""
    return name if len(name.encode()) <= LONGEST_NAME else _cut(name, name)


def _cut(name: str, whole: str) -> str:
    short = name.encode()[:LONGEST_NAME].decode(errors="ignore")
    return f"{short}-{sha256(whole.encode())[:8]}"
