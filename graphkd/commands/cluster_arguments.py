"""Arguments of the commands that can run on a cluster."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from graphkd.errors import GraphKDError

if TYPE_CHECKING:
    from graphkd.cluster import Ray

CLUSTERS = ("ray",)


def cluster_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds ``--cluster`` and its keys."""
    parser.add_argument(
        "--cluster", choices=CLUSTERS, help="that scores the files of a folder, in any number at once"
    )
    parser.add_argument(
        "--address", metavar="HOST:PORT", help="of the cluster's head; by default a cluster of this machine"
    )
    parser.add_argument("--workers", metavar="N", type=int, help="tasks at once; by default one per processor")
    parser.add_argument("--memory", metavar="GB", type=float, help="of each task")


def cluster_of(args: argparse.Namespace) -> Ray | None:
    """Returns the cluster of a command's arguments, or None.

    Raises:
        GraphKDError: a key of a cluster without one, or out of its range.
    """
    given = {name: getattr(args, name) for name in ("address", "workers", "memory")}
    if args.cluster is None:
        for name, value in given.items():
            if value is not None:
                raise GraphKDError(f"--{name} is for --cluster ray: add it, or leave --{name} out")
        return None
    from graphkd.cluster import Ray

    return Ray(**given)
