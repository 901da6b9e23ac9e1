"""Overrides of ``graphkd distill``: checks, quoting for Hydra, and conversion to folder names."""

from __future__ import annotations

import itertools
import re

from graphkd.atomic_io import sha256
from graphkd.config import groups, names_in
from graphkd.errors import GraphKDError

FLAGS = ("-m", "--multirun", "-c", "--cfg", "--resolve", "-i", "--info", "-cd", "--config-dir", "-h", "--help")
INFO = ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")

PATHS = ("data_dir", "output_dir", "cache_dir", "dataset.path")
"""Keys whose values are paths: arbitrary strings, in which only commas and quotes have a special meaning."""

HYDRAS_FOLDERS = ("hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir", "hydra.output_subdir")

LONGEST_NAME = 200
"""Maximum bytes of a folder's name; file systems allow 255, and temporary names add a prefix and a suffix."""

_NO_NAME = re.compile(r"[\[{].*|[-+.\d][-+.\d_e]*|true|false|null|", re.IGNORECASE)
"""Invalid values of a group: lists, mappings, numbers, booleans, null, the empty string."""

_UNQUOTED = re.compile(r"[\w/\-+.%*@?|: ]*", re.ASCII)
"""Strings that Hydra parses without quotes."""

_HYDRAS = re.compile(r"""['"\\()\[\]{}]""")
"""Characters of values in Hydra's syntax: quoted, escaped, lists, interpolations, functions."""


def check_overrides(args: list[str]) -> None:
    """Checks for errors that Hydra would report with its long usage message, or with a traceback.

    Raises:
        GraphKDError: an unknown flag or value of a group, or a folder set by Hydra's own keys.
    """
    for flag, value in itertools.zip_longest(args, args[1:], fillvalue=""):
        if flag in ("--cfg", "-c") and value not in ("job", "hydra", "all"):
            raise GraphKDError(f"{flag} {value}: choose job, hydra or all")
        group, sign, name = flag.partition("=")
        if sign and group in groups() and any(_NO_NAME.fullmatch(part.strip()) for part in name.split(",")):
            several = group == "teacher" and name.startswith("[")
            hint = f"; the mean of several is transform=ensemble transform.teachers={name}" if several else ""
            raise GraphKDError(f"{group} is {name or 'empty'}: choose one of {', '.join(names_in(group))}{hint}")
        if group.lstrip("+~") in HYDRAS_FOLDERS:
            raise GraphKDError(f"{group} has no effect: the folder of a run, or of all with -m, is output_dir=DIR")
        if flag.startswith("="):
            raise GraphKDError(f"{flag} sets no key: write KEY=VALUE")
        if flag in ("--info", "-i") and value and not value.startswith("-") and value not in INFO:
            raise GraphKDError(f"{flag} {value}: choose one of {', '.join(INFO)}")
        if flag.startswith("-") and flag.partition("=")[0] not in FLAGS:
            raise GraphKDError(f"unknown flag {flag}: there are {', '.join(FLAGS)}; keys are set with KEY=VALUE")


def quoted(arg: str) -> str:
    """Returns an override that Hydra can parse: comma-separated paths are quoted where necessary."""
    key, sign, value = arg.partition("=")
    if not sign or key.lstrip("+") not in PATHS or _HYDRAS.search(value):
        return arg
    paths = [path if _UNQUOTED.fullmatch(path) else f"'{path}'" for path in value.split(",")]
    return f"{key}={','.join(paths)}"


def folder_name(overrides: str) -> str:
    """Returns the name of a job's folder: its overrides, with ``/`` replaced and cut to the file system's limit.

    A changed name ends with a checksum of the overrides, so that two jobs never share a folder; except for ``/``
    in the name of a config, such as ``experiment=infgrand/cora``, where names remain distinct.
    """
    name = overrides.replace("/", "_")
    unique = "/" not in re.sub(rf"(^|,)({'|'.join(groups())})=[^,]*", "", overrides)
    return name if unique and len(name.encode()) <= LONGEST_NAME else _cut(name, overrides)


def short_name(name: str) -> str:
    """Returns a folder's name within the file system's limit, cut in the same way."""
    return name if len(name.encode()) <= LONGEST_NAME else _cut(name, name)


def _cut(name: str, whole: str) -> str:
    short = name.encode()[:LONGEST_NAME].decode(errors="ignore")
    return f"{short}-{sha256(whole.encode())[:8]}"
