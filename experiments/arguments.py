"""The arguments that the commands of studies share."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path


def study_parser(
    doc: str, names: Iterable[str], default: Iterable[str], output_dir: str
) -> argparse.ArgumentParser:
    """Returns a parser of what a study is about, where its data are, and where its results go.

    Args:
        doc: of the command's module.
        names: that can be chosen, such as cells.
        default: of them.
        output_dir: default folder of the results.
    """
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(default), help=f"of {', '.join(names)}")
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--output-dir", type=Path, default=Path(output_dir))
    parser.add_argument("--workers", type=int, default=1, help="processes, of one thread each; 1 is this one")
    return parser


def parsed(
    parser: argparse.ArgumentParser, names: Iterable[str], arguments: list[str] | None
) -> argparse.Namespace:
    """Returns the arguments; a name that there is not ends the command."""
    args = parser.parse_args(arguments)
    if unknown := set(args.names) - set(names):
        parser.error(f"unknown: {', '.join(sorted(unknown))}: there are {', '.join(names)}")
    return args
