"""Jobs of ``graphkd distill -m … cluster=ray``, each a task on a cluster."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from graphkd.cluster import Ray
from graphkd.cluster.session import cluster_session
from graphkd.commands.messages import explain
from graphkd.config import cluster_of, composed
from graphkd.errors import GraphKDError

KEY = "cluster"

PATHS = ("data_dir", "cache_dir", "dataset.path")
"""Keys whose paths other machines must know, beside that of the run."""


@dataclass(frozen=True)
class ClusterJob:
    """One job of a multirun.

    Args:
        overrides: its own.
        output: its run folder.
    """

    overrides: tuple[str, ...]
    output: str


def split_cluster(args: Sequence[str]) -> tuple[list[str], Ray | None]:
    """Splits the arguments of a multirun into those of its jobs, and the cluster that runs them.

    Args:
        args: of the command.

    Raises:
        GraphKDError: there is no such cluster, or it has no such key.
    """
    own = [arg for arg in args if arg.partition("=")[0].partition(".")[0] == KEY]
    try:
        return [arg for arg in args if arg not in own], cluster_of(composed(own)) if own else None
    except (HydraException, OmegaConfBaseException) as error:
        raise GraphKDError(explain(error)) from error


def run_on_cluster(jobs: Sequence[ClusterJob], options: Ray) -> None:
    """Runs jobs as tasks; one that fails is left to this process, which reports its error as it always does.

    Args:
        jobs: none of which is finished.
        options: of the cluster, whose machines share the folders of data and runs.

    Raises:
        GraphKDError: the cluster cannot run them.
    """
    if not jobs:
        return
    parents = sorted({Path(job.output).parent for job in jobs})
    for parent in parents:
        parent.mkdir(parents=True, exist_ok=True)
    with cluster_session(options) as cluster:
        cluster.check([], parents)
        for output, error in cluster.map(run_there, jobs):
            state = f"failed on the cluster: {error}" if error else "finished"
            print(f"graphkd: {Path(output).name}: {state}", file=sys.stderr, flush=True)


def run_there(job: ClusterJob) -> tuple[str, str]:
    """Runs a job on the machine of its task, without a table; returns its folder, and its error or nothing."""
    from graphkd.commands.distill import distill

    with open(os.devnull, "w") as sink, contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
        try:
            distill([*job.overrides, _set("output_dir", job.output)])
        except (GraphKDError, OSError) as error:
            return job.output, str(error)
    return job.output, ""


def _set(key: str, path: str) -> str:
    """Returns an override with a path in Hydra's quotes: commas in it separate no values.

    Backslashes are themselves but before a quote, where each needs another.
    """
    escaped = re.sub(r"(\\*)('|\Z)", lambda end: 2 * end[1] + (r"\'" if end[2] else ""), path)
    return f"{key}='{escaped}'"


def job_of(config: DictConfig, path: Path) -> ClusterJob | None:
    """Returns the job that Hydra composed, with paths as other machines know them; None where it is finished.

    Args:
        config: of the job.
        path: of its run.
    """
    if (path / "metrics.json").exists():
        return None
    given = [
        each for each in HydraConfig.get().overrides.task if each.partition("=")[0] not in (*PATHS, "output_dir")
    ]
    paths = {"data_dir": config.data_dir, "cache_dir": config.cache_dir, "dataset.path": config.dataset.path}
    known = [_set(key, str(Path(place).absolute())) for key, place in paths.items() if place is not None]
    return ClusterJob((*given, *known), str(path.absolute()))
